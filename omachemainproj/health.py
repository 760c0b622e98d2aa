"""Health checks: whether this process is alive, can serve, and the clock and workers run.

They accept any Host header (EdgeMiddleware), since load balancers probe by IP address.
"""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from . import heartbeats
from .ip_addresses import is_loopback_host

#: The paths of the health checks.
PROBES = ("/livez/", "/readyz/", "/readyz/clock/", "/metrics/")
#: Headers a proxy adds; with one of them the remote address is the proxy's.
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
    """200 if the database answers, else 503. Requests from this machine also get the release."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return _unreachable()
    named = {"release": settings.RELEASE} if is_local_request(request) else {}
    return JsonResponse({"status": "ready", **named})


def clock(request: HttpRequest) -> JsonResponse:
    """200 while the database accepts writes, and the clock and a broker's workers have run within
    a minute.

    For alerting, not for load balancers: the web serves pages without them.
    """
    try:
        if not accepts_writes():
            return JsonResponse(
                {"status": "the database accepts no writes", "code": "read_only"}, status=503
            )
        silent = heartbeats.missing(timezone.now())
        # Also sends the alert, if one is due.
        heartbeats.silent_processes()
    except Exception:
        return _unreachable()
    if silent:
        return JsonResponse({"status": "; ".join(silent.values()), "code": "silent"}, status=503)
    return JsonResponse({"status": "running"})


def accepts_writes() -> bool:
    """Whether the database accepts writes. A standby and a read-only server only answer.

    Raises the database's error if it does not answer.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        # On for all of a standby's transactions, whatever its settings.
        cursor.execute("SHOW transaction_read_only")
        return bool(cursor.fetchone()[0] == "off")


def is_local_request(request: HttpRequest) -> bool:
    """Whether the request comes from this machine, not through a proxy.

    A proxy on this machine forwards requests from anywhere.
    """
    if any(name in request.META for name in _FORWARDED):
        return False
    return is_loopback_host(request.META.get("REMOTE_ADDR", ""))


def _unreachable() -> JsonResponse:
    return JsonResponse({"status": "database unreachable", "code": "busy"}, status=503)
