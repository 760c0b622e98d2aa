"""The webhook endpoints of M-Pesa and the banks: messages are stored, answered, then processed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from omachemainproj.background import enqueue
from omachemainproj.ip_addresses import read_address
from payments.banks import find_bank
from payments.models import Source

from . import c2b
from .inbox import process_event, store_event
from .strangers import TooManyStrangers, count_unknown_post

#: Daraja's messages are about one kilobyte.
MAX_BODY = 64 * 1024
_SHORT_NUMBER = re.compile(r"[0-9]{1,9}")
_HEADERS = ("Content-Type", "User-Agent", "Businessshortcode", "X-Forwarded-For")


class StoredThenProcessed(JsonResponse):
    """The response to a stored message; processing starts after it was sent.

    A WSGI server closes a response after its last byte, so the sender never waits for us.
    """

    def __init__(self, event_id: int) -> None:
        super().__init__({"ResultCode": 0, "ResultDesc": "Accepted"})
        self._event_id: int | None = event_id

    def close(self) -> None:
        event_id, self._event_id = self._event_id, None
        try:
            if event_id is not None:
                enqueue(process_event, event_id)
        finally:
            # Lets Django close the connection that this thread has just used.
            super().close()


@csrf_exempt
def receive(request: HttpRequest, token: str = "") -> HttpResponse:
    """Store any message to the URL of an STK push, a refund or a payout, or to an unknown one.

    The answer is always the same, unless strangers have posted too much (strangers.py).
    """
    return _answer_post(request, partial(_store, request, Source.CALLBACK, token))


@csrf_exempt
def c2b_confirmation(request: HttpRequest, token: str) -> HttpResponse:
    """Store M-Pesa's confirmation of a C2B payment, which can no longer be refused."""
    return _answer_post(request, partial(_store, request, Source.C2B, token))


@csrf_exempt
def c2b_validation(request: HttpRequest, token: str) -> HttpResponse:
    """Answer M-Pesa's validation of a C2B payment, within its eight seconds. Stores nothing."""
    if not c2b.is_our_address(token):
        return _refuse("There is nothing here.", "not_found", 404)
    return _answer_post(request, lambda body: JsonResponse(c2b.validate(body)))


@csrf_exempt
def bank_ipn(request: HttpRequest, bank: str) -> HttpResponse:
    """Store a notification of the bank with this key, if the request is the bank's own."""
    sender = find_bank(bank)
    if sender is None:
        raise Http404
    if not sender.authenticate(request):
        response = _refuse("Name and password are not those of the bank.", "not_the_bank", 401)
        response["WWW-Authenticate"] = 'Basic realm="O-Mache", charset="UTF-8"'
        return response
    return _answer_post(request, partial(_store, request, sender.key, ""))


def _answer_post(request: HttpRequest, answer: Callable[[bytes], HttpResponse]) -> HttpResponse:
    """Read the body and return ``answer``, whatever the body is.

    The sender cannot fix our problems, and a stranger should not learn what we made of their
    message. Only a message that cannot be read or stored gets another answer: 413 over 64 kB, 400
    for an incomplete body, 429 for too much to unknown URLs, 503 without the database.
    """
    if request.method != "POST":
        response = _refuse("M-Pesa posts here.", "method_not_allowed", 405)
        response["Allow"] = "POST"
        return response
    try:
        body = _read(request)
        if body is None:
            return _refuse("The body is larger than 64 kB.", "too_large", 413)
        return answer(body)
    except TooManyStrangers as refusal:
        response = _refuse(str(refusal), refusal.code, refusal.status_code)
        response["Retry-After"] = str(refusal.retry_after)
        return response
    except OSError:
        return _refuse("The body is incomplete. Post it again.", "bad_request", 400)
    except Error:
        return _refuse("This cannot be stored right now. Post it again.", "busy", 503)


def _store(request: HttpRequest, source: str, token: str, body: bytes) -> HttpResponse:
    address = _address(request)
    count_unknown_post(source=source, token=token, remote_address=address, size=len(body))
    event_id = store_event(
        body=body,
        token=token,
        source=source,
        remote_address=address,
        headers=_headers(request),
    )
    return StoredThenProcessed(event_id)


def _read(request: HttpRequest) -> bytes | None:
    """The raw body, or None if it is too large."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if not length and request.META.get("wsgi.input_terminated"):
        # Sent in chunks, without a length. Django would read nothing; the server knows its end.
        body: bytes = request.META["wsgi.input"].read(MAX_BODY + 1)
        return body if len(body) <= MAX_BODY else None
    if length and (not _SHORT_NUMBER.fullmatch(length) or int(length) > MAX_BODY):
        return None
    return request.body


def _address(request: HttpRequest) -> str | None:
    # Without the zone of a link-local IPv6 address, which PostgreSQL does not accept.
    address = read_address(request.META.get("REMOTE_ADDR", ""))
    return str(address) if address else None


def _headers(request: HttpRequest) -> dict[str, str]:
    recorded = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    return {name: value.replace("\0", "")[:500] for name, value in recorded.items()}


def _refuse(detail: str, code: str, status: int) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status)
