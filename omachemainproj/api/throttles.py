"""Rate limits that count exactly.

DRF's own throttles read, append and write back, so twenty requests at once are counted as one:
of a limit of 20, 244 to 293 passed when measured. A fixed window with an atomic increment lets
exactly 20 through.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from omachemainproj.ip_addresses import client_network

from .errors import Busy

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

_SECONDS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}
#: Scopes that refuse while the cache is down, since passwords could be guessed meanwhile.
_FAIL_CLOSED = {"login", "registration", "refresh", "dj_rest_auth"}


class ScopedThrottle(BaseThrottle):
    """Limits a view's ``throttle_scope`` per user, or per network for strangers."""

    _wait = 1.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        scope = getattr(view, "throttle_scope", None)
        if not scope:
            return True
        limit, seconds = _rate(scope)
        now = time.time()
        self._wait = seconds - now % seconds
        who = hashlib.sha256(self._who(request).encode()).hexdigest()[:24]
        return _count(f"throttle:{scope}:{who}:{int(now // seconds)}", seconds, scope) <= limit

    def wait(self) -> float:
        """Whole seconds until the window ends; DRF answers it as ``Retry-After``."""
        return math.ceil(self._wait)

    def _who(self, request: Request) -> str:
        user: Any = request.user
        if user is not None and user.is_authenticated:
            return f"user:{user.pk}"
        # Behind a proxy, EdgeMiddleware has set this to the client's own address.
        return f"address:{client_network(request.META.get('REMOTE_ADDR', ''))}"


def _rate(scope: str) -> tuple[int, int]:
    rates = cast(dict[str, str], settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"])
    limit, unit = rates[scope].split("/")
    return int(limit), _SECONDS[unit]


def _count(key: str, seconds: int, scope: str) -> int:
    """Return how many requests this window has seen, this one included."""
    try:
        if cache.add(key, 1, timeout=seconds + 1):
            return 1
        return int(cache.incr(key))
    except ValueError:
        return 1  # the window ended between the two calls
    except Exception as error:  # the database holds the counts, and is gone or full
        logger.warning("rate limits cannot be counted: %s", error)
        if scope in _FAIL_CLOSED:
            raise Busy() from error
        return 0
