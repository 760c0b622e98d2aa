"""Answers that say something, in the language of who asks."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.languages import ENGLISH, language_for, translate_members


def in_their_language(
    request: Request, response: Response, members: Collection[str] = ("detail",)
) -> Response:
    """The same answer, with the sentences translated that stand in members of these names, at any
    depth; its headers say which language that is. ``members`` may be none where it is said so
    already.
    """
    language = language_for(request)
    if language != ENGLISH:
        response.data = translate_members(response.data, members, language)
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    return response
