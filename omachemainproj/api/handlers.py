"""Every error answer of the shop, in one of two shapes.

Field errors keep Django REST framework's, ``{"field": ["…"]}``. Everything else is
``{"detail": "…", "code": "…"}``: ``detail`` is for people and may change, ``code`` never does.
"""

from __future__ import annotations

import logging
from errno import EDQUOT, ENOSPC, EROFS
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from omachemainproj.bodies import BROKE_OFF

from .errors import Busy, FieldRefusal, Refusal

logger = logging.getLogger(__name__)

_SCHEME = "Send your access token as “Authorization: Bearer <token>”."


def answer_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception of the API into its answer.

    Returns None for anything unforeseen, so that Django logs it and answers 500.
    """
    if isinstance(exc, FieldRefusal):
        return Response({**exc.errors, **exc.extra}, status=exc.status_code)
    if isinstance(exc, Refusal):
        body = {"detail": str(exc), "code": exc.code, **exc.extra}
        return Response(body, status=exc.status_code, headers=_when(exc))
    if isinstance(exc, UnreadablePostError):
        exc = ParseError(BROKE_OFF, "body_broke_off")
    if is_out_of_room(exc):
        logger.error("there is no room left: %s", exc)
        exc = Busy()
    if isinstance(exc, DatabaseError):
        exc = _translate_database_error(exc)
    if isinstance(exc, NotAuthenticated) and _tried_another_scheme(context):
        exc = NotAuthenticated(_SCHEME)
    response = exception_handler(exc, context)
    if response is None or isinstance(exc, ValidationError):
        return response
    if isinstance(response.data, dict) and "code" not in response.data:
        detail = response.data.get("detail")
        code = getattr(detail, "code", getattr(exc, "default_code", "error"))
        response.data["code"] = str(code)
    if isinstance(exc, Busy):
        response["Retry-After"] = "2"
    return response


def _tried_another_scheme(context: dict[str, Any]) -> bool:
    """Whether somebody said who they are in a way that is not looked at."""
    request = context.get("request")
    said = request.headers.get("Authorization", "").split() if request is not None else []
    return bool(said) and said[0].lower() != "bearer"


def is_out_of_room(exc: Exception) -> bool:
    """Whether the disk is full, or can no longer be written to."""
    return isinstance(exc, OSError) and exc.errno in {ENOSPC, EDQUOT, EROFS}


def answer_busy() -> JsonResponse:
    """The answer of pages outside the API to what a busy database or a full disk refuses."""
    body = {"detail": Busy.default_detail, "code": Busy.default_code}
    return JsonResponse(body, status=503, headers={"Retry-After": "2"})


def _when(refusal: Refusal) -> dict[str, str]:
    return {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}


def _translate_database_error(exc: DatabaseError) -> Exception:
    """Turn an error of the database into the answer that says what the caller can do."""
    if isinstance(exc, OperationalError):
        # Lock and statement timeouts, deadlocks, an exhausted pool, a database restarting.
        logger.warning("database busy: %s", exc)
        return Busy()
    if isinstance(exc, IntegrityError):
        logger.warning("constraint refused a write: %s", exc)
        conflict = APIException("Somebody changed this at the same moment. Try again.", "conflict")
        conflict.status_code = status.HTTP_409_CONFLICT
        return conflict
    if isinstance(exc, DataError):
        logger.warning("database refused a value: %s", exc)
        return ValidationError({"detail": "A value is outside what can be kept."})
    return exc


def _answer(detail: str, code: str, status_code: int) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status_code)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses before a view runs (a bad host, too large a form)."""
    return _answer("This request cannot be read.", "bad_request", 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django forbids outside the API."""
    return _answer("You may not do this.", "permission_denied", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown URL."""
    return _answer("Nothing lives at this address.", "not_found", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an unforeseen error; the log has the traceback under the same request id."""
    body = {
        "detail": "Something went wrong on our side. It has been written down.",
        "code": "server_error",
        "request_id": getattr(request, "request_id", ""),
    }
    return JsonResponse(body, status=500)
