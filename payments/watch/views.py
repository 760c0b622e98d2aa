"""``/metrics/``, for Prometheus."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from omachemainproj.health import is_local_request
from omachemainproj.metrics import counted

from .gauges import read_now


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The counters of all processes, and the metrics read from the database.

    Needs METRICS_TOKEN or a request from this machine; otherwise 404.
    """
    if not _may_read(request):
        raise Http404
    text = generate_latest(counted()) + generate_latest(read_now())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and settings.METRICS_TOKEN:
        # As bytes, since compare_digest refuses strings that are not ASCII.
        return hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return is_local_request(request)
