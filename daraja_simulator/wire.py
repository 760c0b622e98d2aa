"""HTTP requests and responses as plain values, and Daraja's error responses.

Source: Daraja portal, the error tables of each API page.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from . import ids

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """An HTTP request. Header names are lower case; ``query`` has the last of repeated values."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An HTTP response, sent after ``delay`` seconds.

    An ``ending`` other than ``"whole"`` is a fault: nothing is sent, or only half of it.
    """

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Literal["whole", "half", "nothing"] = "whole"
    delay: float = 0.0


Handler = Callable[[Request], Reply]


@dataclass(frozen=True)
class Route:
    """An endpoint and its handler."""

    method: str
    path: str
    handler: Handler


class DarajaError(Exception):
    """A refused Daraja request: the HTTP status, ``errorCode`` and ``errorMessage``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.status = status
        self.code = code
        self.message = message

    def reply(self) -> Reply:
        """Return the response, in Daraja's error envelope."""
        return error_reply(self.status, self.code, self.message)


def json_reply(status: int, content: Any) -> Reply:
    """Return a JSON response."""
    return Reply(status, json.dumps(content).encode())


def error_reply(status: int, code: str, message: str) -> Reply:
    """Return a response in Daraja's error envelope: requestId, errorCode, errorMessage."""
    return json_reply(
        status, {"requestId": ids.request_id(), "errorCode": code, "errorMessage": message}
    )


def invalid(name: str) -> DarajaError:
    """Return the error for an invalid field."""
    return DarajaError(400, "400.002.02", f"Bad Request - Invalid {name}")


def parse_json(body: bytes) -> Any:
    """Parse strict JSON. Raises ValueError for anything else, including too deep nesting."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def daraja_body(request: Request) -> dict[str, Any]:
    """Read the JSON object of a Daraja request. Raises DarajaError.

    A body that is not sent as JSON is refused with an error about its first field, as by the real
    gateway.
    """
    if not sent_as_json(request):
        raise invalid("BusinessShortCode")
    try:
        content = parse_json(request.body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise DarajaError(400, "400.002.05", "Invalid Request Payload")
    return content


def sent_as_json(request: Request) -> bool:
    """Return whether the request's Content-Type is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == JSON


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
