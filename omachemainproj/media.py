"""Where uploaded files are seen from outside, and the view that serves them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve
from rest_framework.request import Request


def media_prefix(request: Request | HttpRequest) -> str:
    """The absolute address that a stored file's name is put after.

    Made once a request: asking the storage for each of 25 rows costs more than the query.
    """
    return request.build_absolute_uri(settings.MEDIA_URL)


def is_its_own_address(stored: FieldFile | None, sent: Any) -> bool:
    """Whether what was sent for a file is only the address it was shown at."""
    if not stored or not isinstance(sent, str):
        return False
    try:
        return urlsplit(sent).path == urlsplit(stored.url).path
    except ValueError:
        return False


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer one stored file; a folder or an unknown name is a 404.

    A file never changes under its name (names are random), so it may be kept for a year.
    """
    response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    # A frontend on another address shows these pictures.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
