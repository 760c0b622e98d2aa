"""Which renderer answers, where there is one alone: a question that hardly anybody asks."""

from __future__ import annotations

from collections.abc import Sequence

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings

#: What clients of an API send; everything else is read as DRF reads it.
_TAKES_ANY = {"*/*", "application/json", "application/json, text/plain, */*"}


class ContentNegotiation(DefaultContentNegotiation):
    """DRF's own, without the reading where there is nothing to choose from."""

    def select_renderer(  # type: ignore[override]
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        if (
            len(renderers) == 1
            and format_suffix is None
            and renderers[0].media_type == "application/json"
            and request.META.get("HTTP_ACCEPT", "*/*") in _TAKES_ANY
            # An address without a query has not been read by now.
            and not (
                request.META.get("QUERY_STRING")
                and api_settings.URL_FORMAT_OVERRIDE in request.query_params
            )
        ):
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)
