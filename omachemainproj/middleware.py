"""The outermost middleware, for every request."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from typing import cast
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.module_loading import import_string

from .access import Request
from .api.errors import Busy, Refusal
from .api.handlers import answer_busy, is_out_of_room, refuse
from .bodies import BROKE_OFF, NoLength, TooLarge, watch_body
from .health import PROBES
from .ip_addresses import read_address
from .logs import client_address, request_id

logger = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponse]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: How Django writes a byte of a path that is not UTF-8; no URL of ours contains it.
_BROKEN = re.compile(r"%[89A-F][0-9A-F]", re.IGNORECASE)
#: A session's key, as Django makes one.
_SESSION_KEY = re.compile(r"[a-z0-9]{8,40}")
#: What plain http may ask for: pages, which are redirected, and a load balancer's checks.
_PLAIN = ("/admin/", "/docs/", "/livez/", "/metrics/", "/readyz/", "/robots.txt", "/shop")
_FILES = ("/static/", "/media/")
#: The admin, and what signs in, up or out.
_WITH_SESSION = ("/admin/", "/login/", "/logout/", "/password/", "/registration/", "/token/")


class RequestIdMiddleware:
    """Names each request, tells of it, and says with every answer what a browser may do with it.

    Who may keep it is said by omachemainproj.answers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = Request()
        request.request_id = secrets.token_hex(8)  # type: ignore[attr-defined]
        # Never reset: Django writes its line about a bad answer after the last middleware. The
        # thread's next request overwrites it.
        request_id.set(request.request_id)  # type: ignore[attr-defined]
        client_address.set("-")
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        told.ended(request, response.status_code)
        return response


class EdgeMiddleware:
    """Finds the client's address and refuses what cannot be read safely.

    A path without its last slash is read as if it had one, so that no redirect loses a body.
    Over plain http, production redirects pages to https and refuses everything else: a client
    that sent a password in the clear should notice. It stands behind the CORS middleware, so that
    a page on another origin can read what was refused, and why.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _is_readable_path(request.path_info) or not _is_readable_query(request):
            return refuse(
                request, "The address contains characters that cannot be read.", "bad_address"
            )
        _set_client_address(request, settings.TRUSTED_PROXIES)
        if not request.path_info.endswith("/") and not request.path_info.startswith(_FILES):
            request.path_info += "/"
            request.path += "/"
        path = request.path_info
        if settings.HTTPS and not request.is_secure() and not path.startswith(_PLAIN):
            return refuse(request, "Use https.", "https_required")
        if path in PROBES:
            # They come by an address of the machine; nothing of the answer hangs on it.
            request.get_host = lambda: "localhost"  # type: ignore[method-assign]
        return self._answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer 503 where the database is busy or the disk full, on pages too."""
        if isinstance(exception, OperationalError) or is_out_of_room(exception):
            logger.error("%s %s could not be served: %s", request.method, request.path, exception)
            return answer_busy(request)
        return None

    def _answer(self, request: HttpRequest) -> HttpResponse:
        try:
            body = watch_body(request)
        except UnreadablePostError:
            return refuse(request, BROKE_OFF, "body_broke_off")
        except TooLarge:
            limit = settings.MULTIPART_BODY_MAX // 1024
            return refuse(request, f"The body is larger than {limit} kB.", "too_large", 413)
        except NoLength:
            return refuse(request, "Say how long the body is.", "length_required", 411)
        try:
            response = self.get_response(request)
            if body and response.status_code >= 400:
                body.discard()
        finally:
            if body:
                body.close()
        if body and body.broke_off and response.status_code >= 400:
            # Whatever the reader made of it: a form without its mark (403), or a bug (500).
            response.close()
            return refuse(request, BROKE_OFF, "body_broke_off")
        return response


class PagesMiddleware:
    """Runs what only pages and log-ins need (``PAGES_MIDDLEWARE``), and only for them.

    Sessions, people by cookie and messages are the admin's. Around a request of the API they did
    nothing, one after the other; only what signs people in keeps them there, since the libraries
    for it look for a session. Who sends a session's cookie passes them anywhere.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._past = through = get_response
        for name in reversed(settings.PAGES_MIDDLEWARE):
            # None of them looks at views or exceptions, which Django would ask this one about.
            through = cast("Answer", convert_exception_to_response(import_string(name)(through)))
        self._through = through

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if session is not None and not _SESSION_KEY.fullmatch(session):
            # No key of ours; and with a NUL in it, none that PostgreSQL would look for.
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        if request.path_info.startswith(_WITH_SESSION) or (
            settings.SESSION_COOKIE_NAME in request.COOKIES
        ):
            return self._through(request)
        return self._past(request)


class RefusalMiddleware:
    """Answers what a page refuses, and not only the API: too many tries, or no time now."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page that says so, with the status and ``Retry-After`` that the API answers."""
        if isinstance(error, Refusal):
            said, status, wait = str(error), error.status_code, error.retry_after
        elif isinstance(error, Busy):
            said, status, wait = str(error.detail), error.status_code, 2
        else:
            return None
        context = {"said": said, "title": "Not now", "site_header": "O-Mache"}
        response = render(request, "admin/refused.html", context, status=status)
        if wait is not None:
            response["Retry-After"] = str(wait)
        return response


def _is_readable_path(path: str) -> bool:
    """UTF-8 without control characters. Django has decoded it, all but what was not UTF-8."""
    return not _CONTROL.search(path) and not _BROKEN.search(path)


def _is_readable_query(request: HttpRequest) -> bool:
    """UTF-8 without control characters, raw or percent-encoded."""
    sent = str(request.META.get("QUERY_STRING", ""))
    try:
        # A WSGI server hands bytes over as if they were Latin-1.
        return not _CONTROL.search(unquote_to_bytes(sent.encode("latin-1")).decode("utf-8"))
    except UnicodeError:
        return False


def _set_client_address(request: HttpRequest, proxies: int) -> None:
    """Set REMOTE_ADDR to the client's address, in the one spelling everything compares with.

    Behind proxies of ours it is what the outermost of them saw; a client cannot choose it.
    """
    client = read_address(request.META.get("REMOTE_ADDR", ""))
    if proxies:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        client = (read_address(hops[-proxies]) if len(hops) >= proxies else None) or client
    if client is not None:
        request.META["REMOTE_ADDR"] = str(client)
        client_address.set(str(client))
