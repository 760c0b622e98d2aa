"""Translates the messages of responses that are not errors (errors: handlers.py)."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.languages import ENGLISH, language_for, translate_members


def translate_response(
    request: Request, response: Response, members: Collection[str] = ("detail",)
) -> Response:
    """Translate the members with these names, at any depth, into the caller's language and set
    Content-Language. ``members`` may be empty if they are translated already.
    """
    language = language_for(request)
    if language != ENGLISH:
        response.data = translate_members(response.data, members, language)
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    return response
