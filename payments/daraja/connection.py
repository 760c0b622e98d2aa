"""Requests to Daraja for one account, with the one access token that everybody shares.

Whether money may be asked for again depends on how an exchange ends: DarajaRefused when the request
certainly was not processed, DarajaUnknown when it may have been.

Source: Daraja portal, Authorization.
"""

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from omachemainproj.dates import NAIROBI
from omachemainproj.http_exchange import FAILURES, LONGEST_ANSWER_BYTES, Answer, Body, HttpExchange
from omachemainproj.strict_json import read_json

from .account import DarajaAccount
from .errors import DarajaRefusal, DarajaRefused, DarajaUnknown
from .reply import Reply
from .tokens import SharedToken, TokenStore

OAUTH_PATH = "/oauth/v1/generate"

#: A token is renewed this long before its end, so that none ends on the way.
RENEW_EARLY_SECONDS = 60
#: The portal's own figure. A longer promise is not believed.
LONGEST_TOKEN_SECONDS = 3600
#: A lifetime that cannot be read is taken for this long. One that ends sooner is turned down, and
#: nothing is lost; one that is kept for no time would be fetched for every call, and end another's.
SHORTEST_TOKEN_SECONDS = 120
#: Between the two tries at a token, and before a call goes again whose new token was turned down.
BACKOFF_SECONDS = 0.5
#: To connect for a token and to have it, at the most: others wait for it.
TOKEN_TIMEOUT = (5.0, 10.0)
#: Two tries, each as long as it may take.
LONGEST_FETCH_SECONDS = 2 * sum(TOKEN_TIMEOUT) + BACKOFF_SECONDS
#: How often a call is sent whose token is turned down, and until when another try begins.
MAX_TOKEN_TRIES, TOKEN_PATIENCE_SECONDS = 4, 15.0

#: Statuses that say enough by themselves, where the body cannot be read to its end.
KEEP = frozenset(range(300, 500))

_TOKEN = re.compile(r"[!-~]{1,4096}")


class Bearer(AuthBase):
    """Sent as `auth`, not as a header: `requests` lets a .netrc file overrule a header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


#: Is told of every exchange: the path, how it ended (`2xx` and so on, `unreachable`, `lost`), and
#: the seconds it took.
Observer = Callable[[str, str, float], None]


class Transport(HttpExchange):
    """Sends requests to one base URL. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout: tuple[float, float],
        session: requests.Session | None,
        observe: Observer,
    ) -> None:
        super().__init__(base_url, timeout=timeout, session=session)
        self._observe = observe

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str],
        auth: AuthBase,
        timeout: tuple[float, float],
    ) -> Answer:
        """Ask, and return the answer whatever its status; redirects are answers.

        Raises DarajaRefused (UNREACHABLE) when the connection failed, or DarajaUnknown.
        """
        began = time.monotonic()
        try:
            answer = self._exchange(
                "GET", path, params=params, auth=auth, timeout=timeout, keep=KEEP
            )
        except requests.ConnectionError as error:
            self._ended(path, "unreachable", began)
            raise _unreachable(path) from error
        except FAILURES as error:
            self._ended(path, "lost", began)
            raise _lost(path, error) from error
        self._ended(path, f"{answer.status // 100}xx", began)
        return answer

    def post(
        self,
        path: str,
        fields: Mapping[str, Any],
        *,
        auth: AuthBase,
        at_most: int = LONGEST_ANSWER_BYTES,
    ) -> Answer:
        """Send the fields as JSON, once, and return the answer, whatever its status, if it has at
        most so many bytes.

        Raises DarajaRefused (UNREACHABLE) when the fields certainly stayed here, and DarajaUnknown
        when they may have arrived.
        """
        body = Body(json.dumps(fields).encode())
        headers = {"Content-Type": "application/json"}
        began = time.monotonic()
        try:
            answer = self._exchange(
                "POST", path, at_most=at_most, data=body, headers=headers, auth=auth, keep=KEEP
            )
        except FAILURES as error:
            self._ended(path, "lost" if body.was_sent else "unreachable", began)
            if body.was_sent:
                raise _lost(path, error) from error
            raise _unreachable(path) from error
        self._ended(path, f"{answer.status // 100}xx", began)
        return answer

    def _ended(self, path: str, how: str, began: float) -> None:
        self._observe(path, how, time.monotonic() - began)


class Connection:
    """What every call shares: the account, the token and the clock. Safe to share between threads.

    `now` returns the time with its zone; `timeout` is (to connect, to answer) in seconds. `observe`
    is told of every exchange, and must not raise.
    """

    def __init__(
        self,
        account: DarajaAccount,
        *,
        tokens: TokenStore,
        session: requests.Session | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(NAIROBI),
        timeout: tuple[float, float] = (5.0, 30.0),
        observe: Observer = lambda path, how, seconds: None,
    ) -> None:
        self._account = account
        self._now = now
        self._transport = Transport(
            account.base_url, timeout=timeout, session=session, observe=observe
        )
        self._token_timeout = (
            min(timeout[0], TOKEN_TIMEOUT[0]),
            min(timeout[1], TOKEN_TIMEOUT[1]),
        )
        self._token = SharedToken(tokens, self._fetch_token)

    def _post(
        self,
        path: str,
        fields: Mapping[str, Any],
        *,
        at_most: int = LONGEST_ANSWER_BYTES,
        read: Callable[[bytes], Any] = read_json,
    ) -> Reply:
        """Post once; again only where the token was turned down, before anything was processed.

        Then it waits its turn for a new token. Raises DarajaRefused (TOKEN) when new ones are
        turned down as well.

        `read` makes a document of the answer, or raises NotStrictJson.
        """
        give_up = time.monotonic() + TOKEN_PATIENCE_SECONDS
        for tries in range(1, MAX_TOKEN_TRIES + 1):
            token = self._token.get()
            answer = self._transport.post(path, fields, auth=Bearer(token), at_most=at_most)
            reply = Reply.of(status=answer.status, body=answer.body, read=read)
            if not reply.is_token_error:
                return reply
            self._token.turned_down(token)
            if tries == MAX_TOKEN_TRIES or time.monotonic() > give_up:
                break
            if tries > 1:
                # Somebody outside this shop fetches tokens with the same key: let them finish.
                time.sleep(BACKOFF_SECONDS * random.uniform(0.5, tries))  # noqa: S311
        raise reply.refused(DarajaRefusal.TOKEN)

    def _fetch_token(self) -> tuple[str, int]:
        """A new token and the seconds to keep it. Whatever goes wrong here, no money was asked for.

        Raises DarajaRefused.
        """
        try:
            return self._ask_for_token()
        except DarajaRefused as refusal:
            if refusal.kind not in (DarajaRefusal.UNREACHABLE, DarajaRefusal.BUSY_GATEWAY):
                raise
        except DarajaUnknown as error:  # a second wait of that length would help nobody
            raise _no_token(error) from error
        time.sleep(BACKOFF_SECONDS)
        try:
            return self._ask_for_token()
        except DarajaUnknown as error:
            raise _no_token(error) from error

    def _ask_for_token(self) -> tuple[str, int]:
        account = self._account
        # As bytes: `requests` would encode text as Latin-1, and fail on the rest.
        basic = HTTPBasicAuth(account.consumer_key.encode(), account.consumer_secret.encode())
        answer = self._transport.get(
            OAUTH_PATH,
            params={"grant_type": "client_credentials"},
            auth=basic,
            timeout=self._token_timeout,
        )
        reply = Reply.of(status=answer.status, body=answer.body)
        token = (reply.fields or {}).get("access_token")
        if answer.status == 200 and isinstance(token, str) and _TOKEN.fullmatch(token):
            return token, _seconds_to_keep((reply.fields or {}).get("expires_in"))
        refusal = reply.refused(_why_no_token(reply))
        # Whatever was said, no money was asked for.
        refusal.doubtful = False
        raise refusal


def _why_no_token(reply: Reply) -> DarajaRefusal:
    """Only what the gateway itself says of the keys is a fault of the settings."""
    known = reply.refusal
    if known == DarajaRefusal.BUSY_GATEWAY or reply.status >= 500:
        return DarajaRefusal.BUSY_GATEWAY
    if known in {DarajaRefusal.CONFIGURATION, DarajaRefusal.BAD_REQUEST}:
        return DarajaRefusal.CONFIGURATION
    # Wrong keys have been answered with a bare 400 as well.
    are_keys_wrong = reply.status in {400, 401} and not reply.is_page
    return DarajaRefusal.CONFIGURATION if are_keys_wrong else DarajaRefusal.GATEWAY


def _unreachable(path: str) -> DarajaRefused:
    return DarajaRefused(f"{path} could not be reached", kind=DarajaRefusal.UNREACHABLE)


def _lost(path: str, error: Exception) -> DarajaUnknown:
    return DarajaUnknown(f"no answer from {path} ({type(error).__name__})")


def _no_token(error: DarajaUnknown) -> DarajaRefused:
    return DarajaRefused(error.message, kind=DarajaRefusal.UNREACHABLE)


def _seconds_to_keep(expires_in: Any) -> int:
    """How long a token is kept, by its lifetime, which comes as a number or as text. Never 0."""
    try:
        lifetime = int(float(str(expires_in)))
    except (ValueError, OverflowError):
        lifetime = 0
    if lifetime <= 0:
        lifetime = SHORTEST_TOKEN_SECONDS
    lifetime = min(lifetime, LONGEST_TOKEN_SECONDS)
    return max(lifetime - RENEW_EARLY_SECONDS, (lifetime + 1) // 2)
