"""Access tokens. Source: Daraja portal, Authorization."""

import threading

from . import ids
from .clock import Clock
from .config import Config
from .wire import DarajaError, Request

#: How each group of APIs refuses an invalid token: HTTP status and errorCode.
STK_TOKEN_REFUSED = (404, "404.001.03")
REVERSAL_TOKEN_REFUSED = STK_TOKEN_REFUSED
C2B_TOKEN_REFUSED = STATUS_TOKEN_REFUSED = (400, "400.003.01")
B2C_TOKEN_REFUSED = BALANCE_TOKEN_REFUSED = (401, "401.002.01")


class Tokens:
    """Issues access tokens and keeps track of valid ones. Thread-safe."""

    def __init__(self, config: Config, clock: Clock, keep: int = 1_000) -> None:
        self._config = config
        self._clock = clock
        self._keep = keep
        self._lock = threading.Lock()
        self._expiry: dict[str, float] = {}

    def issue(self) -> str:
        """Issue a token. Older ones stay valid unless ``newest_token_only`` is set."""
        token = ids.access_token()
        with self._lock:
            if self._config.newest_token_only:
                self._expiry.clear()
            while len(self._expiry) >= self._keep:
                del self._expiry[next(iter(self._expiry))]
            self._expiry[token] = self._clock.seconds() + self._config.token_seconds
        return token

    def revoke_all(self) -> None:
        """Revoke all tokens."""
        with self._lock:
            self._expiry.clear()

    def check(self, request: Request, refused: tuple[int, str]) -> None:
        """Raise DarajaError unless the request has a valid bearer token."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise DarajaError(404, "404.001.04", "Invalid Authentication Header")
        with self._lock:
            expiry = self._expiry.get(token.strip(), 0.0)
        if expiry <= self._clock.seconds():
            raise self.refusal(refused)

    @staticmethod
    def refusal(refused: tuple[int, str]) -> DarajaError:
        """Return the error for an unknown or expired token."""
        return DarajaError(*refused, "Invalid Access Token")
