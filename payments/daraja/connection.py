"""Requests to Daraja for one account, with the shared access token.

Whether money may be requested again depends on how a request fails: DarajaRefused if it certainly
was not processed, DarajaUnknown if it may have been.

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

#: A token is renewed this long before it expires, so that none expires in transit.
RENEW_EARLY_SECONDS = 60
#: The portal's own figure. A longer lifetime is not trusted.
LONGEST_TOKEN_SECONDS = 3600
#: The lifetime assumed if it cannot be read. If the token expires sooner, it is rejected without
#: harm; if it were not stored at all, each call would fetch one and invalidate another's.
SHORTEST_TOKEN_SECONDS = 120
#: Delay between the two tries to fetch a token, and before a call is resent whose new token was
#: rejected.
BACKOFF_SECONDS = 0.5
#: Maximum seconds to connect and to read when fetching a token: other callers wait for it.
TOKEN_TIMEOUT = (5.0, 10.0)
#: Two tries, each with its full timeout.
LONGEST_FETCH_SECONDS = 2 * sum(TOKEN_TIMEOUT) + BACKOFF_SECONDS
#: How often a call is sent whose token is rejected, and until when another try starts.
MAX_TOKEN_TRIES, TOKEN_PATIENCE_SECONDS = 4, 15.0

#: Statuses that are sufficient by themselves if the body cannot be read completely.
KEEP = frozenset(range(300, 500))

_TOKEN = re.compile(r"[!-~]{1,4096}")


class Bearer(AuthBase):
    """Passed as `auth`, not as a header: `requests` lets a .netrc file override a header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


#: Called for every exchange with the path, the outcome (`2xx` etc., `unreachable`, `lost`), and the
#: seconds it took.
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
        """Send a GET request and return the answer whatever its status; redirects are answers.

        Raises DarajaRefused (UNREACHABLE) if the connection failed, or DarajaUnknown.
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
        """Post the fields as JSON, once, and return the answer whatever its status, up to a maximum
        size.

        Raises DarajaRefused (UNREACHABLE) if the fields certainly were not sent, and DarajaUnknown
        if they may have arrived.
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
    """What all calls share: the account, the token and the clock. Safe to share between threads.

    `now` returns an aware time; `timeout` is (connect, read) in seconds. `observe` is called for
    every exchange, and must not raise.
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
        """Post once; again only if the token was rejected, before anything was processed.

        In that case it waits for a new token. Raises DarajaRefused (TOKEN) if new ones are rejected
        too.

        `read` parses the answer, or raises NotStrictJson.
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
                # Something outside this shop fetches tokens with the same key: let it finish.
                time.sleep(BACKOFF_SECONDS * random.uniform(0.5, tries))  # noqa: S311
        raise reply.refused(DarajaRefusal.TOKEN)

    def _fetch_token(self) -> tuple[str, int]:
        """Fetch a token; return it and the seconds to keep it. No failure here can have requested
        money.

        Raises DarajaRefused.
        """
        try:
            return self._ask_for_token()
        except DarajaRefused as refusal:
            if refusal.kind not in (DarajaRefusal.UNREACHABLE, DarajaRefusal.BUSY_GATEWAY):
                raise
        except DarajaUnknown as error:  # waiting that long again would not help
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
        # Whatever the answer, no money was requested.
        refusal.doubtful = False
        raise refusal


def _why_no_token(reply: Reply) -> DarajaRefusal:
    """The kind of a failed token request: only the gateway's own error about the keys means wrong
    settings."""
    known = reply.refusal
    if known == DarajaRefusal.BUSY_GATEWAY or reply.status >= 500:
        return DarajaRefusal.BUSY_GATEWAY
    if known in {DarajaRefusal.CONFIGURATION, DarajaRefusal.BAD_REQUEST}:
        return DarajaRefusal.CONFIGURATION
    # Wrong keys have been answered with a bare 400 too.
    are_keys_wrong = reply.status in {400, 401} and not reply.is_page
    return DarajaRefusal.CONFIGURATION if are_keys_wrong else DarajaRefusal.GATEWAY


def _unreachable(path: str) -> DarajaRefused:
    return DarajaRefused(f"{path} could not be reached", kind=DarajaRefusal.UNREACHABLE)


def _lost(path: str, error: Exception) -> DarajaUnknown:
    return DarajaUnknown(f"no answer from {path} ({type(error).__name__})")


def _no_token(error: DarajaUnknown) -> DarajaRefused:
    return DarajaRefused(error.message, kind=DarajaRefusal.UNREACHABLE)


def _seconds_to_keep(expires_in: Any) -> int:
    """How long to keep a token, from its lifetime, which is a number or text. Never 0."""
    try:
        lifetime = int(float(str(expires_in)))
    except (ValueError, OverflowError):
        lifetime = 0
    if lifetime <= 0:
        lifetime = SHORTEST_TOKEN_SECONDS
    lifetime = min(lifetime, LONGEST_TOKEN_SECONDS)
    return max(lifetime - RENEW_EARLY_SECONDS, (lifetime + 1) // 2)
