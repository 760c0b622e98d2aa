"""Where uploaded files are seen from outside."""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def media_prefix(request: Request | HttpRequest) -> str:
    """The absolute address that a stored file's name is put after.

    Made once a request: asking the storage for each of 25 rows costs more than the query.
    """
    return request.build_absolute_uri(settings.MEDIA_URL)
