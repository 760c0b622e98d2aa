"""``/metrics/``: what is measured, for Prometheus."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from omachemainproj.health import is_asked_from_here
from omachemainproj.metrics import counted

from .gauges import read_now


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What all processes have counted, and what the database knows now.

    For who brings METRICS_TOKEN or asks from this very machine; for anybody else there is no such
    page.
    """
    if not _may_read(request):
        raise Http404
    text = generate_latest(counted()) + generate_latest(read_now())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and settings.METRICS_TOKEN:
        # As bytes: what is no ASCII would raise.
        return hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return is_asked_from_here(request)
