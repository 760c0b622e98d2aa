"""Content negotiation with a fast path, since there is only one renderer."""

from __future__ import annotations

from collections.abc import Sequence

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings

#: Common Accept headers of API clients; all others are parsed by DRF.
_TAKES_ANY = {"*/*", "application/json", "application/json, text/plain, */*"}


class ContentNegotiation(DefaultContentNegotiation):
    """DRF's negotiation, skipped when any format is accepted."""

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
            # A request without a query string has not been parsed yet.
            and not (
                request.META.get("QUERY_STRING")
                and api_settings.URL_FORMAT_OVERRIDE in request.query_params
            )
        ):
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)
