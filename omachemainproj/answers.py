"""What caches may keep of an answer, and how it travels: ``Cache-Control``, ``ETag``, gzip.

Everything is private, and no cache keeps it, but for what answers everybody alike: a view that asks
nobody who they are, or a stranger where anybody is let in. What is public has an ETag and is asked
about each time unless its view says more; it is not sent again to who has it.
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
#: Served by others, with what they say.
_FILES = ("/static/", "/media/")
_JSON = ("application/json", "application/vnd.oai.openapi")
#: What an answer says beside its body, and a changed one is another answer for.
_PART_OF_IT = ("Link", "Search-Corrected", "Content-Language")
_GZIP = re.compile(r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?P<q>[0-9.]+)\s*)?(?=,|$)", re.IGNORECASE)
_KEPT = 64


class AnswerMiddleware:
    """Says of each answer who may keep it, and makes it small.

    It stands behind the CORS middleware, so that a page on another origin may read what it is
    told to take from its cache.
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
            response = _let_keep(request, response)
        return self._small(request, response)

    def _small(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The answer in gzip, where it may be and who asks reads that."""
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
            # Other bytes, and the same answer (RFC 9110, 8.8.1).
            response["ETag"] = f"W/{etag}"
        return response

    def _compress(self, body: bytes, etag: str | None) -> bytes:
        """The body in gzip; of public answers this process keeps the last few."""
        if etag is None:
            return _gzip(body)
        compressed = self._compressed.get(etag)
        if compressed is None:
            compressed = self._compressed[etag] = _gzip(body)
            if len(self._compressed) > _KEPT:
                self._compressed.popitem(last=False)
        return compressed


def for_everybody(view: View) -> View:
    """A view, as a function and none of the API's, that answers everybody alike."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def is_public(request: HttpRequest) -> bool:
    """Whether an answer is for everybody: nobody said who they are, or nobody was asked.

    All that gives out tokens is posted to. A view that is open to whoever has its secret address
    says that it ``is_private``, and one that is none of the API's that it ``is_public``.
    """
    view = _view_of(request)
    if request.method not in {*_READING, "OPTIONS"} or view is None:
        return False
    if getattr(view, "is_private", False):
        return False
    if not getattr(view, "authentication_classes", True):
        return _lets_anybody_in(view)
    if not hasattr(view, "permission_classes"):
        return bool(getattr(view, "is_public", False))
    return _lets_anybody_in(view) and not _says_who(request)


def forbid_keeping(response: HttpResponseBase) -> None:
    """Let no cache keep the answer, whatever its view says: one forgotten view would be a leak."""
    if "no-store" not in response.headers.get("Cache-Control", ""):
        response["Cache-Control"] = "no-store"


def _let_keep(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """A public answer with what caches want to know; without its body for who has it already."""
    if response.status_code not in {200, 304}:
        forbid_keeping(response)
        return response
    response.headers.setdefault("Cache-Control", "no-cache")
    if getattr(_view_of(request), "authentication_classes", None):
        patch_vary_headers(response, ["Authorization"])
    if "ETag" in response.headers or not isinstance(response, HttpResponse):
        return response
    said = hashlib.blake2b(response.content, digest_size=16)
    for name in _PART_OF_IT:
        said.update(response.headers.get(name, "").encode())
    etag = response["ETag"] = f'"{said.hexdigest()}"'
    return get_conditional_response(request, etag=etag, response=response) or response


def _lets_anybody_in(view: Any) -> bool:
    """Whether its permissions ask nothing; a combined one (``A | B``) is no class, and asks."""
    asked = getattr(view, "permission_classes", ())
    return all(isinstance(each, type) and issubclass(each, AllowAny) for each in asked)


def _view_of(request: HttpRequest) -> Any:
    match = request.resolver_match
    return getattr(match.func, "view_class", match.func) if match else None


def _says_who(request: HttpRequest) -> bool:
    return "HTTP_AUTHORIZATION" in request.META or settings.SESSION_COOKIE_NAME in request.COOKIES


def _may_be_compressed(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a body is JSON, large enough, and without a secret that its length could tell.

    What is posted may be answered with tokens, so a view says itself that it ``is_compressible``
    (docs/security.md).
    """
    reads = request.method in _READING
    return (
        (reads or getattr(_view_of(request), "is_compressible", False))
        and len(response.content) > COMPRESSED_FROM
        and response.headers.get("Content-Type", "").startswith(_JSON)
    )


def _reads_gzip(request: HttpRequest) -> bool:
    said = _GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    return said is not None and said["q"] not in {"0", "0.0", "0.00", "0.000"}


def _gzip(body: bytes) -> bytes:
    # Half the time of the usual level, for a twentieth more bytes.
    writer = zlib.compressobj(level=4, wbits=31)
    return writer.compress(body) + writer.flush()
