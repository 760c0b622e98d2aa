"""The API's OpenAPI description and documentation page, generated once per process.

It is the same for everyone, and generating it takes a third of a second of CPU.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.encoding import force_bytes
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

#: Swagger UI needs inline styles and data: images; its scripts are static files of ours.
_DOCS_POLICY = (
    f"{settings.CONTENT_SECURITY_POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)


class _Written(NamedTuple):
    text: bytes
    etag: str


#: By format: YAML and JSON, each with two media types.
_written: dict[str, _Written] = {}
#: Concurrent requests wait for the one that generates it.
_writing = threading.Lock()


class SchemaView(SpectacularAPIView):
    """OpenAPI 3, as YAML or JSON. ``lang`` and ``version`` change nothing: there is one of each."""

    throttle_scope = "browse"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase | None:
        renderer: BaseRenderer = request.accepted_renderer
        text, etag = _write(renderer)
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        response = HttpResponse(text, content_type=f"{renderer.media_type}{charset}")
        name = f"{spectacular_settings.TITLE}.{renderer.format}"
        response["Content-Disposition"] = f'inline; filename="{name}"'
        response["ETag"] = etag
        response["Cache-Control"] = "no-cache"
        return get_conditional_response(request._request, etag=etag, response=response)


def _write(renderer: BaseRenderer) -> _Written:
    """The description in the renderer's format, cached."""
    form = type(renderer).__name__
    if form not in _written:
        with _writing:
            if form not in _written:
                schema = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
                    request=None, public=True
                )
                text = force_bytes(renderer.render(schema, renderer_context={}))
                etag = f'"{hashlib.blake2b(text, digest_size=16).hexdigest()}"'
                _written[form] = _Written(text, etag)
    return _written[form]


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI; everything it loads is served from here."""

    url_name = "schema"
    throttle_scope = "browse"
    #: OPTIONS would be rendered with the page's template.
    metadata_class = None

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response["Content-Security-Policy"] = _DOCS_POLICY
        return response
