"""Requests and replies as plain values, and the shapes of Daraja's errors.

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
    """One HTTP request, read in full.

    Header names are lower case; ``query`` keeps the last of repeated values.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One HTTP answer.

    ``ending`` other than ``"whole"`` is a fault: nothing is sent, or only half of it.
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
    """One address: which method it takes, and what answers there."""

    method: str
    path: str
    handler: Handler


class DarajaError(Exception):
    """A request Daraja refuses, with the HTTP status, ``errorCode`` and ``errorMessage`` it refuses
    with.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.status = status
        self.code = code
        self.message = message

    def reply(self) -> Reply:
        """Give the refusal in Daraja's error envelope."""
        return error_reply(self.status, self.code, self.message)


def json_reply(status: int, content: Any) -> Reply:
    """Answer with this content as JSON."""
    return Reply(status, json.dumps(content).encode())


def error_reply(status: int, code: str, message: str) -> Reply:
    """Answer in Daraja's error envelope: requestId, errorCode, errorMessage."""
    return json_reply(
        status, {"requestId": ids.request_id(), "errorCode": code, "errorMessage": message}
    )


def invalid(name: str) -> DarajaError:
    """Make the refusal of one bad field."""
    return DarajaError(400, "400.002.02", f"Bad Request - Invalid {name}")


def parse_json(body: bytes) -> Any:
    """Read strict JSON from bytes. Raises ValueError for anything else, however deep or odd."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def daraja_body(request: Request) -> dict[str, Any]:
    """Read the JSON object of a protocol request. Raises DarajaError.

    A body that is not sent as JSON is refused over its first field, as the real gateway does with
    form-encoding.
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
    """Say whether the request calls its own body JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == JSON


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
