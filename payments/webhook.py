"""Where M-Pesa posts: kept, answered, and only then acted on."""

from __future__ import annotations

import ipaddress
from functools import partial

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from omachemainproj.soon import run_soon

from .callbacks import apply_event, keep_event

#: Daraja's messages are about one kilobyte.
MAX_BODY = 64 * 1024
_HEADERS = ("Content-Type", "User-Agent", "Businessshortcode", "X-Forwarded-For")


class KeptThenApplied(JsonResponse):
    """The answer to a message; acting on it begins when the answer has been sent.

    A WSGI server closes a response after its last byte, so the gateway never waits for us.
    """

    def __init__(self, event_id: int) -> None:
        super().__init__({"ResultCode": 0, "ResultDesc": "Accepted"})
        self._act = partial(run_soon, apply_event, event_id)

    def close(self) -> None:
        act, self._act = self._act, lambda: None
        try:
            act()
        finally:
            super().close()


@csrf_exempt
def receive(request: HttpRequest, token: str = "") -> HttpResponse:
    """Keep whatever is posted and answer the same to all of it.

    Daraja cannot help with our problems and a stranger should not learn what we made of theirs.
    Only what cannot be kept gets another answer: 413 over 64 kB, 503 when the database is away.
    """
    if request.method != "POST":
        response = _refuse("M-Pesa posts here.", "method_not_allowed", 405)
        response["Allow"] = "POST"
        return response
    if _length(request) > MAX_BODY:
        return _refuse("The body is larger than 64 kB.", "too_large", 413)
    try:
        event_id = keep_event(
            body=request.body,
            token=token,
            remote_address=_address(request),
            headers={name: request.headers[name] for name in _HEADERS if name in request.headers},
        )
    except UnreadablePostError:
        return _refuse("The body broke off. Post it again.", "bad_request", 400)
    except DatabaseError:
        return _refuse("This cannot be kept right now. Post it again.", "busy", 503)
    return KeptThenApplied(event_id)


def _length(request: HttpRequest) -> int:
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(length) if length.isascii() and length.isdigit() else MAX_BODY + 1


def _address(request: HttpRequest) -> str | None:
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


def _refuse(detail: str, code: str, status: int) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status)
