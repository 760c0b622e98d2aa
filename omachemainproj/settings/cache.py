"""The cache, for speed and rate limits; no money depends on it."""

from typing import Any

from omachemainproj.service_urls import read_service_url

from .base import PRODUCTION, env

CACHE_URL = env.url(
    "CACHE_URL",
    lambda text: read_service_url(text, {"redis", "rediss", "unix"}),
    default="",
    wrong="must be like redis://:password@127.0.0.1:6379/0, with what is special in a password "
    "percent-encoded",
)
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "omachemainproj.caches.RedisCache",
        "LOCATION": CACHE_URL,
        # Seconds. Each request uses it twice, so a slower cache is treated as down.
        "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.1},
    }
    if CACHE_URL
    # Shared by several processes; a laptop has one.
    else {"BACKEND": "omachemainproj.caches.TableCache", "LOCATION": "omachemainproj_cacheentry"}
    if PRODUCTION
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "omache",
        # Django's default of 300 would discard counters in use.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
