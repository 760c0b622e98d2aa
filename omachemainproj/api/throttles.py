"""Rate limits that count exactly and work for thousands of people behind one address.

Users with a token are counted individually, on public pages too. Anonymous requests are counted per
client id, which the client chooses, and per network address, whose limit is that of
``ADDRESS_ROOM`` clients, since a Kenyan operator puts a whole town behind one address. As client
ids can be forged, the network's limit is the effective bound. Scopes that check a secret allow a
network fewer clients (``_SCOPES``).

Each window has a fixed start, and a request is counted by an atomic increment: DRF's throttles
read, append and write back, which undercounts concurrent requests.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings

from omachemainproj.ip_addresses import client_network

from .access_tokens import read_access_token
from .errors import Busy

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

_SECONDS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}
#: Scopes that refuse while the cache is down, since passwords could be guessed meanwhile.
_FAIL_CLOSED = {"login", "registration", "refresh", "dj_rest_auth", "code"}
#: The limit of a network, as a multiple of one client's.
ADDRESS_ROOM = 20


class _Scope(NamedTuple):
    """How a scope counts anonymous requests.

    ``clients``: how many clients' limits a network has. ``by_client``: whether a client id is
    counted by itself, below its network. ``by_token``: whether a request with an access token is
    counted under its user on views that ignore tokens.
    """

    clients: int
    by_client: bool = True
    by_token: bool = False


_BY_DEFAULT = _Scope(ADDRESS_ROOM, by_token=True)
#: Scopes that cost more than a query: checking or hashing a password, sending mail. Attempts are
#: also counted by accounts.lockout, and mails by accounts.contact_budgets.
_SCOPES = {
    "login": _Scope(1, by_client=False),
    "dj_rest_auth": _Scope(1, by_client=False),
    "code": _Scope(2),
    "registration": _Scope(5),
}
#: A client id, from our cookie or the header ``Client-ID``.
_CLIENT = re.compile(r"[A-Za-z0-9_-]{16,64}")


class ScopedThrottle(BaseThrottle):
    """Limits a view's ``throttle_scope`` per user, or per client and network if anonymous."""

    _wait = 1.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        scope = getattr(view, "throttle_scope", None)
        if not scope:
            return True
        limit, seconds = _rate(scope)
        now = time.time()
        self._wait = seconds - now % seconds
        for name, clients in _counted(request, scope):
            who = hashlib.sha256(name.encode()).hexdigest()[:24]
            key = f"throttle:{scope}:{who}:{int(now // seconds)}"
            # A refused client does not count against its network.
            if _count(key, seconds, scope) > limit * clients:
                return False
        return True

    def wait(self) -> float:
        """Whole seconds until the window ends; DRF answers it as ``Retry-After``."""
        return math.ceil(self._wait)


def _counted(request: Request, scope: str) -> list[tuple[str, int]]:
    """The keys a request is counted under, and the multiple of the limit each has."""
    user: Any = request.user
    if user is not None and user.is_authenticated:
        return [(f"user:{user.pk}", 1)]
    counts = _SCOPES.get(scope, _BY_DEFAULT)
    holder = _read_holder(request) if counts.by_token else None
    if holder:
        return [(f"user:{holder}", 1)]
    # Behind a proxy, EdgeMiddleware has set this to the client's own address.
    address = f"address:{client_network(request.META.get('REMOTE_ADDR', ''))}"
    client = _read_client(request) if counts.by_client else ""
    if not client:
        return [(address, counts.clients)]
    return [(f"client:{client} {address}", 1), (address, counts.clients)]


def _read_holder(request: Request) -> str | None:
    """The user id of a signed access token sent to a view that ignores tokens.

    It may have been revoked: the request is only counted under it, and otherwise anonymous.
    """
    scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        return str(read_access_token(raw.strip().encode())[api_settings.USER_ID_CLAIM])
    except (TokenError, KeyError):
        return None


def _read_client(request: Request) -> str:
    """The client id of a request, or ""."""
    for name in (
        request.COOKIES.get(settings.CLIENT_COOKIE_NAME, ""),
        request.headers.get("Client-ID", ""),
    ):
        if _CLIENT.fullmatch(name):
            return name
    return ""


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
