"""The outermost room: what every request passes through, whatever it asks for."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from .logs import request_id

_PAGES = ("/admin/", "/docs/")
_FILES = ("/static/", "/media/")


class EdgeMiddleware:
    """Names each request, finds the client's address and refuses what cannot be read safely.

    A path without its last slash is read as if it had one, so that no redirect loses a body.
    Over plain http, production redirects pages to https and refuses everything else: a client
    that sent a password in the clear should notice.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = secrets.token_hex(8)  # type: ignore[attr-defined]
        token = request_id.set(request.request_id)  # type: ignore[attr-defined]
        try:
            response = self._answer(request)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if _is_unreadable(request.path_info) or _is_unreadable(_query_string(request)):
            return _refuse("The address contains characters that cannot be read.", "bad_address")
        if settings.TRUSTED_PROXIES:
            _believe_proxies(request, settings.TRUSTED_PROXIES)
        path = request.path_info
        if settings.HTTPS and not request.is_secure() and not path.startswith(_PAGES):
            return _refuse("Use https.", "https_required")
        if not path.endswith("/") and not path.startswith(_FILES):
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)


def _query_string(request: HttpRequest) -> str:
    return str(request.META.get("QUERY_STRING", ""))


def _is_unreadable(address: str) -> bool:
    """Control characters, NUL and bytes that are not UTF-8, raw or percent-encoded."""
    if not address.isprintable():
        return True
    if "%" not in address:
        return False
    raw = address.encode("latin-1", "replace").lower()
    if any(b"%%%02x" % code in raw for code in (*range(0x20), 0x7F)):
        return True
    return False


def _believe_proxies(request: HttpRequest, count: int) -> None:
    """Set REMOTE_ADDR to the address our own outermost proxy saw; a client cannot choose it."""
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if len(hops) < count:
        return
    try:
        request.META["REMOTE_ADDR"] = str(ipaddress.ip_address(hops[-count]))
    except ValueError:
        return


def _refuse(detail: str, code: str) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=400)
