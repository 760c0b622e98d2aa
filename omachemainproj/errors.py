"""How the shop says no: one exception to raise, one handler that answers.

Field errors keep Django REST framework's shape, ``{"field": ["…"]}``. Everything else is
``{"detail": "…", "code": "…"}``: ``detail`` is for people and may change, ``code`` never does.
"""

from __future__ import annotations

import logging
from typing import Any, NoReturn

from django.db import DatabaseError, DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework import status, views
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response

logger = logging.getLogger(__name__)


class Refusal(Exception):
    """A rule of the marketplace said no.

    Subclasses set ``code`` (for programs), ``message`` (for people) and ``status_code``, next to
    the rule they speak for. ``extra`` adds members to the answer.
    """

    code = "refused"
    message = "That cannot be done."
    status_code = status.HTTP_409_CONFLICT

    def __init__(self, message: str = "", **extra: Any) -> None:
        self.extra = extra
        super().__init__(message or self.message)


class FieldRefusal(Refusal):
    """A rule said no to one part of the input; ``errors`` mirrors the input's shape."""

    status_code = status.HTTP_400_BAD_REQUEST

    def __init__(self, errors: dict[str, Any]) -> None:
        self.errors = errors
        super().__init__(str(errors))


class Busy(APIException):
    """The shop cannot do it now; the same request may be sent again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The shop is busy. Please try again in a moment."
    default_code = "busy"


def answer_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Give every error of the API its one shape.

    Returns None for anything unforeseen, so that Django logs it and answers 500.
    """
    if isinstance(exc, FieldRefusal):
        return Response(exc.errors, status=exc.status_code)
    if isinstance(exc, Refusal):
        body = {"detail": str(exc), "code": exc.code, **exc.extra}
        return Response(body, status=exc.status_code)
    if isinstance(exc, DatabaseError):
        exc = _translate_database_error(exc)
    response = views.exception_handler(exc, context)
    if response is None or isinstance(exc, ValidationError):
        return response
    if isinstance(response.data, dict) and "code" not in response.data:
        detail = response.data.get("detail")
        code = getattr(detail, "code", getattr(exc, "default_code", "error"))
        response.data["code"] = str(code)
    if isinstance(exc, Busy):
        response["Retry-After"] = "2"
    return response


def _translate_database_error(exc: DatabaseError) -> Exception:
    """Turn what the database refused into what the caller can do about it."""
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
    """Answer an address nothing lives at."""
    return _answer("Nothing lives at this address.", "not_found", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a bug of ours; the log has the rest under the same request id."""
    body = {
        "detail": "Something went wrong on our side. It has been written down.",
        "code": "server_error",
        "request_id": getattr(request, "request_id", ""),
    }
    return JsonResponse(body, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer an admin form that came without its token."""
    return _answer("This form has expired. Load the page again.", "csrf_failed", 403)


def refuse_field(field: str, message: str) -> NoReturn:
    """Raise the answer ``{field: [message]}`` with status 400."""
    raise FieldRefusal({field: [message]})
