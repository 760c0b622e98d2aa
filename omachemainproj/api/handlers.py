"""All error responses, in one of two shapes.

Field errors keep Django REST framework's, ``{"field": ["…"]}``. Everything else is
``{"detail": "…", "code": "…"}``: ``detail`` is for people and may change, ``code`` never does.
"""

from __future__ import annotations

import logging
import sys
from errno import EDQUOT, ENOSPC, EROFS
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.cache import patch_vary_headers
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from omachemainproj.bodies import INCOMPLETE_BODY
from omachemainproj.languages import (
    ENGLISH,
    language_for,
    preferred_language,
    translate,
    translate_all,
)

from .errors import Busy, FieldRefusal, Refusal

logger = logging.getLogger(__name__)

_SCHEME = "Send your access token as “Authorization: Bearer <token>”."


def answer_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception of the API into a response, in the caller's language.

    With ``Prefer: error-codes`` field errors also have ``codes``. Returns None for unexpected
    exceptions, so that Django logs them and answers 500.
    """
    response = _answer_error(exc, context)
    request = context.get("request")
    if response is None or request is None:
        return response
    errors, language = _errors_of(exc, response), language_for(request)
    if language != ENGLISH:
        response.data = _translated(response.data, errors, language)
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    if isinstance(response.data, dict) and errors and "error-codes" in _preferences(request):
        response.data["codes"] = codes_of(errors)
        response["Preference-Applied"] = "error-codes"
    return response


def _translated(body: Any, errors: Any, language: str) -> Any:
    """Translate the messages of a response, but no tokens, codes or names."""
    if not isinstance(body, dict):
        return translate_all(body, language)
    sentences = errors or {name: body[name] for name in ("detail",) if name in body}
    return {**body, **translate_all(sentences, language)}


def _preferences(request: Any) -> set[str]:
    """The names of the preferences in a ``Prefer`` header (RFC 7240)."""
    preferences = request.META.get("HTTP_PREFER", "").split(",")
    return {each.partition(";")[0].strip().lower() for each in preferences}


def _errors_of(exc: Exception, response: Response) -> Any:
    """The field errors of a response, if any."""
    if isinstance(exc, FieldRefusal):
        return exc.errors
    return response.data if isinstance(exc, ValidationError) else {}


def codes_of(errors: Any) -> Any:
    """The codes of errors, in the same shape: DRF's own, ours, or ``invalid``."""
    if isinstance(errors, dict):
        return {name: codes_of(each) for name, each in errors.items()}
    if isinstance(errors, list | tuple):
        return [codes_of(each) for each in errors]
    return getattr(errors, "code", None) or "invalid"


def _answer_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(exc, FieldRefusal):
        return Response({**exc.errors, **exc.extra}, status=exc.status_code)
    if isinstance(exc, Refusal):
        body = {"detail": str(exc), "code": exc.code, **exc.extra}
        return Response(body, status=exc.status_code, headers=_when(exc))
    exc = _as_api_error(exc, context)
    response = exception_handler(exc, context)
    if response is None or isinstance(exc, ValidationError):
        return response
    if isinstance(response.data, dict) and "code" not in response.data:
        detail = response.data.get("detail")
        code = getattr(detail, "code", getattr(exc, "default_code", "error"))
        response.data["code"] = str(code)
    if isinstance(exc, Busy):
        response["Retry-After"] = "2"
    elif getattr(exc, "default_code", "") == Conflict.default_code:
        response["Retry-After"] = "1"
    return response


def _as_api_error(exc: Exception, context: dict[str, Any]) -> Exception:
    """Convert an exception into one that DRF can answer."""
    if isinstance(exc, UnreadablePostError):
        return ParseError(INCOMPLETE_BODY, "body_broke_off")
    if is_disk_full(exc):
        logger.error("the disk is full: %s", exc)
        return Busy()
    if isinstance(exc, DatabaseError):
        return _translate_database_error(exc)
    if isinstance(exc, NotAuthenticated) and _tried_another_scheme(context):
        return NotAuthenticated(_SCHEME)
    return exc


def _tried_another_scheme(context: dict[str, Any]) -> bool:
    """Whether the request used another authentication scheme."""
    request = context.get("request")
    credentials = request.headers.get("Authorization", "").split() if request is not None else []
    return bool(credentials) and credentials[0].lower() != "bearer"


def is_disk_full(exc: BaseException | None) -> bool:
    """Whether the disk is full, or can no longer be written to."""
    return isinstance(exc, OSError) and exc.errno in {ENOSPC, EDQUOT, EROFS}


def answer_busy(request: HttpRequest) -> JsonResponse:
    """The response of pages outside the API when the database is busy or the disk full."""
    response = refuse(request, Busy.default_detail, Busy.default_code, 503)
    response["Retry-After"] = "2"
    return response


def busy_for(request: HttpRequest, error: BaseException | None) -> JsonResponse | None:
    """The response if this error says that the database is busy or the disk full, or else None."""
    if not isinstance(error, OperationalError) and not is_disk_full(error):
        return None
    logger.error("%s %s could not be served: %s", request.method, request.path, error)
    return answer_busy(request)


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "Someone else changed this at the same moment. Try again."
    default_code = "conflict"


def _when(refusal: Refusal) -> dict[str, str]:
    return {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}


def _translate_database_error(exc: DatabaseError) -> Exception:
    """Convert a database error into one that tells the caller what to do."""
    if isinstance(exc, OperationalError):
        # Lock and statement timeouts, deadlocks, an exhausted pool, a database that restarts or is
        # read-only.
        logger.warning("database busy: %s", exc)
        return Busy()
    if isinstance(exc, IntegrityError):
        logger.warning("constraint refused a write: %s", exc)
        return Conflict()
    if isinstance(exc, DataError):
        logger.warning("database refused a value: %s", exc)
        return ValidationError({"detail": "A value is out of range."})
    return exc


def refuse(
    request: HttpRequest, detail: str, code: str, status_code: int = 400, **extra: str
) -> JsonResponse:
    """An error response from outside the API's views, in the language of ``Accept-Language``."""
    language = preferred_language(request.META.get("HTTP_ACCEPT_LANGUAGE", "")) or ENGLISH
    body = {"detail": translate(detail, language), "code": code, **extra}
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return JsonResponse(body, status=status_code, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request Django refused before any view (a bad host, a form that is too large)."""
    return refuse(request, "This request cannot be read.", "bad_request", 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django forbids outside the API."""
    return refuse(request, "You may not do this.", "permission_denied", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown URL."""
    return refuse(request, "There is nothing at this address.", "not_found", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an unexpected error; the log has the traceback with the same request id.

    Errors of a middleware come here too, where the database may be busy as in a view.
    """
    return busy_for(request, sys.exc_info()[1]) or refuse(
        request,
        "Something went wrong on our side. The error has been logged.",
        "server_error",
        500,
        request_id=getattr(request, "request_id", ""),
    )
