"""Requests to Daraja for one account, with the one access token that everybody shares.

Whether money may be asked for again depends on how an exchange ends: DarajaRefused when the request
certainly was not processed, DarajaUnknown when it may have been.

Source: Daraja portal, Authorization.
"""

import json
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
from .errors import DarajaRefused, DarajaUnknown, Refusal
from .reply import Reply
from .tokens import SharedToken, TokenStore

OAUTH_PATH = "/oauth/v1/generate"

#: A token is renewed this long before its end, so that none ends on the way.
RENEW_EARLY_SECONDS = 60
#: The portal's own figure. A longer promise is not believed.
LONGEST_TOKEN_SECONDS = 3600
#: Between the two tries at a token.
BACKOFF_SECONDS = 0.5

_TOKEN = re.compile(r"[!-~]{1,4096}")


class Bearer(AuthBase):
    """Sent as `auth`, not as a header: `requests` lets a .netrc file overrule a header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport(HttpExchange):
    """Sends requests to one base URL. Safe to share between threads."""

    def get(self, path: str, *, params: Mapping[str, str], auth: AuthBase) -> Answer:
        """Ask, and return the answer whatever its status; redirects are answers.

        Raises DarajaRefused (UNREACHABLE) when the connection failed, or DarajaUnknown.
        """
        try:
            return self._exchange("GET", path, params=params, auth=auth)
        except requests.ConnectionError as error:
            raise _unreachable(path) from error
        except FAILURES as error:
            raise _lost(path, error) from error

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
        try:
            return self._exchange(
                "POST", path, at_most=at_most, data=body, headers=headers, auth=auth
            )
        except FAILURES as error:
            if body.was_sent:
                raise _lost(path, error) from error
            raise _unreachable(path) from error


class Connection:
    """What every call shares: the account, the token and the clock. Safe to share between threads.

    `now` returns the time with its zone; `timeout` is (to connect, to answer) in seconds.
    """

    def __init__(
        self,
        account: DarajaAccount,
        *,
        tokens: TokenStore,
        session: requests.Session | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(NAIROBI),
        timeout: tuple[float, float] = (5.0, 30.0),
    ) -> None:
        self._account = account
        self._now = now
        self._transport = Transport(account.base_url, timeout=timeout, session=session)
        self._token = SharedToken(tokens, self._fetch_token)

    def _post(
        self,
        path: str,
        fields: Mapping[str, Any],
        *,
        at_most: int = LONGEST_ANSWER_BYTES,
        read: Callable[[bytes], Any] = read_json,
    ) -> Reply:
        """Post once, and once more if the token was turned down before anything was processed.

        `read` makes a document of the answer, or raises NotStrictJson.
        """
        for _ in range(2):
            token = self._token.get()
            answer = self._transport.post(path, fields, auth=Bearer(token), at_most=at_most)
            reply = Reply.of(status=answer.status, body=answer.body, read=read)
            if not reply.is_token_error:
                return reply
            self._token.turned_down(token)
        raise reply.refused(Refusal.CONFIGURATION)

    def _fetch_token(self) -> tuple[str, int]:
        """A new token and the seconds to keep it. Whatever goes wrong here, no money was asked for.

        Raises DarajaRefused.
        """
        try:
            return self._ask_for_token()
        except DarajaRefused as refusal:
            if refusal.kind not in (Refusal.UNREACHABLE, Refusal.BUSY_GATEWAY):
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
            OAUTH_PATH, params={"grant_type": "client_credentials"}, auth=basic
        )
        reply = Reply.of(status=answer.status, body=answer.body)
        token = (reply.fields or {}).get("access_token")
        if answer.status == 200 and isinstance(token, str) and _TOKEN.fullmatch(token):
            lifetime = _seconds((reply.fields or {}).get("expires_in"))
            return token, min(lifetime, LONGEST_TOKEN_SECONDS) - RENEW_EARLY_SECONDS
        if reply.refusal == Refusal.BUSY_GATEWAY or answer.status >= 500:
            raise reply.refused(Refusal.BUSY_GATEWAY)
        # Wrong keys have been answered with a bare 400; a redirect means a wrong address.
        raise reply.refused(Refusal.OTHER if answer.status == 200 else Refusal.CONFIGURATION)


def _unreachable(path: str) -> DarajaRefused:
    return DarajaRefused(f"{path} could not be reached", kind=Refusal.UNREACHABLE)


def _lost(path: str, error: Exception) -> DarajaUnknown:
    return DarajaUnknown(f"no answer from {path} ({type(error).__name__})")


def _no_token(error: DarajaUnknown) -> DarajaRefused:
    return DarajaRefused(error.message, kind=Refusal.UNREACHABLE)


def _seconds(expires_in: Any) -> int:
    """A lifetime, which comes as a number or as text; 0 when it cannot be read."""
    try:
        return int(float(str(expires_in)))
    except (ValueError, OverflowError):
        return 0
