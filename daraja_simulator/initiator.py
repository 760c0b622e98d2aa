"""The initiator (API operator) of the asynchronous APIs: password, roles, and lock-out.

Source: Daraja portal, Business to Customer, result codes 21, 2001 and 8006.
"""

import hmac
import threading

from .config import Config
from .keys import Keys
from .results import Declined


class Initiator:
    """Checks credentials. Too many wrong passwords in a row lock the initiator. Thread-safe."""

    def __init__(self, config: Config) -> None:
        self.keys = Keys(config.key_file)
        self._config = config
        self._lock = threading.Lock()
        self._wrong = 0

    @property
    def is_locked(self) -> bool:
        """Whether even the right password is refused."""
        with self._lock:
            return self._wrong >= self._config.initiator_tries

    def check(self, name: str, credential: str, role: str) -> None:
        """Check the name, password and role of a request.

        Raises Declined: 8006 if locked, 2001 for a wrong name or password, 21 for a missing role. A
        wrong name does not count towards the lock.
        """
        if not hmac.compare_digest(name.encode(), self._config.initiator_name.encode()):
            raise Declined("2001")
        password = self.keys.decrypt(credential)
        expected = self._config.initiator_password.encode()
        is_right = password is not None and hmac.compare_digest(password, expected)
        with self._lock:
            if self._wrong >= self._config.initiator_tries:
                raise Declined("8006")
            self._wrong = 0 if is_right else self._wrong + 1
        if not is_right:
            raise Declined("2001")
        if role not in self._config.initiator_roles:
            raise Declined("21")

    def unlock(self) -> None:
        """Unlock the initiator, as an administrator does in the portal."""
        with self._lock:
            self._wrong = 0
