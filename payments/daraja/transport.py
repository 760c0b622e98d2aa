"""One HTTP exchange with the gateway: whether money may be asked for again hangs on how it ends."""

import json
from collections.abc import Mapping
from typing import Any

import requests
from requests.auth import AuthBase

from omachemainproj.http_exchange import FAILURES, LONGEST_ANSWER_BYTES, Answer, Body, HttpExchange

from .errors import DarajaRefused, DarajaUnknown, Refusal


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
            if body.taken:
                raise _lost(path, error) from error
            raise _unreachable(path) from error


def _unreachable(path: str) -> DarajaRefused:
    return DarajaRefused(f"{path} could not be reached", kind=Refusal.UNREACHABLE)


def _lost(path: str, error: Exception) -> DarajaUnknown:
    return DarajaUnknown(f"no answer from {path} ({type(error).__name__})")
