"""The outermost middleware, for every request."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.module_loading import import_string

from .access_log import Request
from .api.errors import Busy, Refusal
from .api.handlers import busy_for, refuse
from .bodies import INCOMPLETE_BODY, NoLength, TooLarge, watch_body
from .health import PROBES
from .ip_addresses import read_address
from .logs import client_address, request_id
from .readable_urls import is_readable_path, is_readable_query

Answer = Callable[[HttpRequest], HttpResponse]

#: The format of Django's session keys.
_SESSION_KEY = re.compile(r"[a-z0-9]{8,40}")
#: Paths allowed over plain http: pages, which are redirected, and health checks.
_PLAIN = ("/admin/", "/docs/", "/livez/", "/metrics/", "/readyz/", "/robots.txt", "/shop")
_FILES = ("/static/", "/media/")
#: The admin, and the endpoints to sign in, register or sign out.
_WITH_SESSION = ("/admin/", "/login/", "/logout/", "/password/", "/registration/", "/token/")


class RequestIdMiddleware:
    """Gives each request an id, logs it, and adds security headers to the response.

    Caching headers are set by omachemainproj.http_caching.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        measured = Request()
        request.request_id = secrets.token_hex(8)  # type: ignore[attr-defined]
        # Never reset: Django logs error responses after the last middleware. The thread's next
        # request overwrites it.
        request_id.set(request.request_id)  # type: ignore[attr-defined]
        client_address.set("-")
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        measured.ended(request, response.status_code)
        return response


class EdgeMiddleware:
    """Determines the client's address, and refuses requests that cannot be read safely.

    A path without a trailing slash is read as if it had one, since a redirect would lose the body.
    Over plain http, production redirects pages to https and refuses everything else, so that a
    client that sent a password in the clear notices. Placed after the CORS middleware, so that
    pages on other origins can read the refusal.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_readable_path(request.path_info) or not _is_readable_query(request):
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
            # Health checks may use an IP address as host; their answers do not depend on it.
            request.get_host = lambda: "localhost"  # type: ignore[method-assign]
        return self._answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer 503 if the database is busy or the disk full, for pages too."""
        return busy_for(request, exception)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        try:
            body = watch_body(request)
        except UnreadablePostError:
            return refuse(request, INCOMPLETE_BODY, "body_broke_off")
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
            # Replaces whatever an incomplete body led to: a missing CSRF token (403) or an error
            # (500).
            response.close()
            return refuse(request, INCOMPLETE_BODY, "body_broke_off")
        return response


class PagesMiddleware:
    """Runs the middleware only pages and log-ins need (``PAGES_MIDDLEWARE``), only for them.

    Sessions, cookie authentication and messages are for the admin. API requests do not need them,
    except sign-in endpoints, whose libraries expect a session. Requests with a session cookie
    always pass through them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._past = through = get_response
        for name in reversed(settings.PAGES_MIDDLEWARE):
            # None of them has view or exception hooks, which would not be called here.
            inner = _busy_if_database_is(import_string(name)(through))
            through = cast("Answer", convert_exception_to_response(inner))
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


def _busy_if_database_is(get_response: Answer) -> Answer:
    """A middleware that reads sessions or users, answering 503 where a view would."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return get_response(request)
        except (OperationalError, OSError) as error:
            response = busy_for(request, error)
            if response is None:
                raise
            return response

    return answer


class RefusalMiddleware:
    """Turns refusals raised by pages, such as too many attempts, into error pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """An error page with the same status and ``Retry-After`` as the API's."""
        if isinstance(error, Refusal):
            message, status, wait = str(error), error.status_code, error.retry_after
        elif isinstance(error, Busy):
            message, status, wait = str(error.detail), error.status_code, 2
        else:
            return None
        context = {"message": message, "title": "Not now", "site_header": "O-Mache"}
        response = render(request, "admin/refused.html", context, status=status)
        if wait is not None:
            response["Retry-After"] = str(wait)
        return response


def _is_readable_query(request: HttpRequest) -> bool:
    # A WSGI server hands bytes over as if they were Latin-1.
    sent = str(request.META.get("QUERY_STRING", ""))
    try:
        return is_readable_query(sent.encode("latin-1"))
    except UnicodeError:
        return False


def _set_client_address(request: HttpRequest, proxies: int) -> None:
    """Set REMOTE_ADDR to the client's address, in normalised form.

    Behind our proxies it is the address the outermost of them saw; clients cannot forge it.
    """
    client = read_address(request.META.get("REMOTE_ADDR", ""))
    if proxies:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        client = (read_address(hops[-proxies]) if len(hops) >= proxies else None) or client
    if client is not None:
        request.META["REMOTE_ADDR"] = str(client)
        client_address.set(str(client))
