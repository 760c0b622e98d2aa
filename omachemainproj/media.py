"""The URLs of uploaded files, and the view that serves them."""

from __future__ import annotations

import re
from errno import ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve
from rest_framework.request import Request

#: The names of pictures. Nothing else in that folder is anyone's business, such as a backup of it.
_PICTURE = re.compile(r"[a-z]+/[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(webp|jpe?g|png)")
#: Errors for a name that no file has, or whose file was deleted just now.
_NO_SUCH_FILE = frozenset({ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR})


def media_prefix(request: Request | HttpRequest) -> str:
    """The absolute URL that a stored file's name is appended to.

    Build it once per request: asking the storage for each of 25 rows costs more than the query.
    """
    return request.build_absolute_uri(settings.MEDIA_URL)


def is_its_own_address(stored: FieldFile | None, sent: Any) -> bool:
    """Whether a client sent back, in place of a new file, the URL of the stored one."""
    if not stored or not isinstance(sent, str):
        return False
    try:
        return urlsplit(sent).path == urlsplit(stored.url).path
    except ValueError:
        return False


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serve one stored picture; a folder, another file or an unknown name is a 404.

    The file behind a name never changes (names are random), so it may be cached for a year. Sending
    a file occupies a worker's thread: in production let the proxy serve /media/ from
    ``MEDIA_ROOT``, with these headers (docs/deploy.md).
    """
    if not _PICTURE.fullmatch(path):
        raise Http404
    try:
        response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    except OSError as error:
        if error.errno not in _NO_SUCH_FILE:
            raise
        raise Http404 from error
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    # Frontends on other origins show these pictures.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
