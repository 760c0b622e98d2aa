"""HTTP caching and compression of responses: ``Cache-Control``, ``ETag``, gzip.

Responses are private and never cached, except those that are the same for everyone: of views
without authentication, and of public views to anonymous clients. Public responses have an ETag and
are revalidated each time unless the view says otherwise; clients that have them get a 304.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.permissions import AllowAny

View = TypeVar("View", bound=Callable[..., Any])

#: Smaller answers gain nothing.
COMPRESSED_FROM = 1024
_READING = frozenset({"GET", "HEAD"})
#: Served elsewhere, with their own headers.
_FILES = ("/static/", "/media/")
_JSON = ("application/json", "application/vnd.oai.openapi")
#: Headers that are part of the ETag, since a change in one changes the response.
_PART_OF_IT = ("Link", "Search-Corrected", "Content-Language")
_GZIP = re.compile(r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?P<q>[0-9.]+)\s*)?(?=,|$)", re.IGNORECASE)
_CACHE_SIZE = 64


class HttpCachingMiddleware:
    """Sets caching headers, and compresses responses.

    Placed after the CORS middleware, so that a page on another origin may read a 304.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._compressed: OrderedDict[str, bytes] = OrderedDict()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = self.get_response(request)
        if request.path_info.startswith(_FILES):
            return response
        if not is_public(request):
            forbid_keeping(response)
        elif request.method in _READING:
            response = _add_cache_headers(request, response)
        return self._small(request, response)

    def _small(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress the response if it is allowed and the client accepts gzip."""
        if not isinstance(response, HttpResponse) or not _may_be_compressed(request, response):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if not _reads_gzip(request) or "Content-Encoding" in response.headers:
            return response
        response.content = self._compress(response.content, response.headers.get("ETag"))
        response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(response.content))
        etag = response.headers.get("ETag", "")
        if etag.startswith('"'):
            # Different bytes, same content, so the ETag is weak (RFC 9110, 8.8.1).
            response["ETag"] = f"W/{etag}"
        return response

    def _compress(self, body: bytes, etag: str | None) -> bytes:
        """The gzipped body; the last few public ones are kept by this process."""
        if etag is None:
            return _gzip(body)
        compressed = self._compressed.get(etag)
        if compressed is None:
            compressed = self._compressed[etag] = _gzip(body)
            if len(self._compressed) > _CACHE_SIZE:
                self._compressed.popitem(last=False)
        return compressed


def for_everybody(view: View) -> View:
    """Mark a function view outside the API as the same for everyone."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def is_public(request: HttpRequest) -> bool:
    """Whether the response is the same for everyone: the view or the client is anonymous.

    Tokens are only issued by POST. A view with a secret address sets ``is_private``, and a public
    view outside the API sets ``is_public``.
    """
    view = _view_of(request)
    if request.method not in {*_READING, "OPTIONS"} or view is None:
        return False
    if getattr(view, "is_private", False):
        return False
    if not getattr(view, "authentication_classes", True):
        return _allows_any(view)
    if not hasattr(view, "permission_classes"):
        return bool(getattr(view, "is_public", False))
    return _allows_any(view) and not _has_credentials(request)


def forbid_keeping(response: HttpResponseBase) -> None:
    """Forbid caching, whatever the view says: one forgotten view would be a leak."""
    if "no-store" not in response.headers.get("Cache-Control", ""):
        response["Cache-Control"] = "no-store"


def _add_cache_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Add caching headers to a public response, or return a 304."""
    if response.status_code not in {200, 304}:
        forbid_keeping(response)
        return response
    response.headers.setdefault("Cache-Control", "no-cache")
    if getattr(_view_of(request), "authentication_classes", None):
        patch_vary_headers(response, ["Authorization"])
    if "ETag" in response.headers or not isinstance(response, HttpResponse):
        return response
    digest = hashlib.blake2b(response.content, digest_size=16)
    for name in _PART_OF_IT:
        digest.update(response.headers.get(name, "").encode())
    etag = response["ETag"] = f'"{digest.hexdigest()}"'
    return get_conditional_response(request, etag=etag, response=response) or response


def _allows_any(view: Any) -> bool:
    """Whether all permissions are AllowAny; combined ones (``A | B``) count as restrictive."""
    permission_classes = getattr(view, "permission_classes", ())
    return all(isinstance(each, type) and issubclass(each, AllowAny) for each in permission_classes)


def _view_of(request: HttpRequest) -> Any:
    match = request.resolver_match
    return getattr(match.func, "view_class", match.func) if match else None


def _has_credentials(request: HttpRequest) -> bool:
    return "HTTP_AUTHORIZATION" in request.META or settings.SESSION_COOKIE_NAME in request.COOKIES


def _may_be_compressed(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a body is JSON, large enough, and free of secrets its length could reveal.

    A response to a POST may contain tokens, so a view must opt in with ``is_compressible``
    (docs/security.md).
    """
    reads = request.method in _READING
    return (
        (reads or getattr(_view_of(request), "is_compressible", False))
        and len(response.content) > COMPRESSED_FROM
        and response.headers.get("Content-Type", "").startswith(_JSON)
    )


def _reads_gzip(request: HttpRequest) -> bool:
    accepted = _GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    return accepted is not None and accepted["q"] not in {"0", "0.0", "0.00", "0.000"}


def _gzip(body: bytes) -> bytes:
    # Half the time of the default level, for 5% more bytes.
    writer = zlib.compressobj(level=4, wbits=31)
    return writer.compress(body) + writer.flush()
