"""Health checks: is this process alive, can it serve, and do the others run.

They answer whatever host is asked for (EdgeMiddleware): a load balancer probes by an address.
"""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from . import heartbeats
from .ip_addresses import is_loopback_host

#: Where they answer.
PROBES = ("/livez/", "/readyz/", "/readyz/clock/", "/metrics/")
#: What any proxy adds of where a request came from: then the address is that of a proxy.
_FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_REAL_IP",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
)


def alive(request: HttpRequest) -> JsonResponse:
    """200 while the process can answer at all."""
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, 503 when it does not; on this very machine, which release."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return _unreachable()
    named = {"release": settings.RELEASE} if is_asked_from_here(request) else {}
    return JsonResponse({"status": "ready", **named})


def clock(request: HttpRequest) -> JsonResponse:
    """200 while the clock, and the workers of a broker, have run within a minute.

    It is for an alarm and not for a load balancer: the web serves without them.
    """
    try:
        silent = heartbeats.missing(timezone.now())
        # Where it is so, whoever is to be told is told.
        heartbeats.silent()
    except Exception:
        return _unreachable()
    if silent:
        return JsonResponse({"status": "; ".join(silent.values()), "code": "silent"}, status=503)
    return JsonResponse({"status": "running"})


def is_asked_from_here(request: HttpRequest) -> bool:
    """Whether it comes from this very machine, and no proxy has passed it on.

    A proxy on this machine asks for the whole world.
    """
    if any(name in request.META for name in _FORWARDED):
        return False
    return is_loopback_host(request.META.get("REMOTE_ADDR", ""))


def _unreachable() -> JsonResponse:
    return JsonResponse({"status": "database unreachable", "code": "busy"}, status=503)
