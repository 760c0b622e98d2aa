"""Caches for rate limits and uploaded import files. Never for money.

``RedisCache`` is shared by all machines, but neither required nor trusted: when it is down or slow
each process counts on its own for a while, and values are JSON, so that a writer to Redis cannot
run code here. ``TableCache`` is shared by several processes without Redis.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache as DjangosRedisCache
from django.db import connection
from django.db.models import QuerySet

from .batches import delete_in_batches
from .breaker import Breaker
from .models import CacheEntry


class JSONSerializer:
    """Values as JSON instead of Django's pickle, which could run code from Redis."""

    def dumps(self, value: Any) -> int | bytes:
        # Redis can only increment plain integers.
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """The value, or None for invalid JSON, as if it were missing."""
        try:
            return json.loads(data)
        except ValueError:
            return None


#: One per process, since Django creates a cache per thread.
redis_breaker = Breaker("Redis")


class RedisCache(DjangosRedisCache):
    """Django's Redis cache with JSON values, and a local memory cache while Redis is down."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"serializer": JSONSerializer, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        local = {**params, "OPTIONS": {"MAX_ENTRIES": 100_000}}
        self._local = LocMemCache("redis-is-gone", local)

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        return bool(self._ask("add", key, value, timeout, version))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._ask("get", key, default, version)

    def set(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        self._ask("set", key, value, timeout, version)

    def touch(
        self,
        key: str,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        return bool(self._ask("touch", key, timeout, version))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._ask("delete", key, version))

    def has_key(self, key: str, version: int | None = None) -> bool:
        return bool(self._ask("has_key", key, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Increment a number. Raises ValueError if there is none."""
        return int(self._ask("incr", key, delta, version))

    def clear(self) -> None:
        self._local.clear()
        self._ask("clear")

    def _ask(self, name: str, *arguments: Any) -> Any:
        # Imported here: a shop without Redis needs none of it.
        from redis.exceptions import RedisError, ResponseError  # noqa: PLC0415

        here: Callable[..., Any] = getattr(self._local, name)
        if redis_breaker.is_open:
            return here(*arguments)
        try:
            return getattr(super(), name)(*arguments)
        except ResponseError:
            # Redis answers, but the key holds something else.
            return here(*arguments)
        except (RedisError, OSError) as error:
            redis_breaker.open(error)
            return here(*arguments)


#: The clock has other duties in each of its rounds.
_DELETING_SECONDS = 10.0


def delete_expired_cache_entries() -> int:
    """Delete expired entries, for ten seconds at most; return how many. Safe to repeat."""
    expired = CacheEntry.objects.filter(expires__lte=time.time()).order_by("expires")
    return delete_in_batches(expired, seconds=_DELETING_SECONDS)


_TAKE = (
    "INSERT INTO omachemainproj_cacheentry (key, value, expires) VALUES (%s, %s, %s)"
    " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, expires = EXCLUDED.expires"
    " WHERE omachemainproj_cacheentry.expires <= %s RETURNING 1"
)
_COUNT = (
    "UPDATE omachemainproj_cacheentry SET value = CAST(CAST(value AS bigint) + %s AS text)"
    " WHERE key = %s AND expires > %s RETURNING value"
)


class TableCache(BaseCache):
    """A cache in the shop's database, with exact counts across processes.

    Values are JSON. Expired entries are ignored; ``delete_expired_cache_entries`` removes them.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        name = self.make_and_validate_key(key, version)
        entry = [name, json.dumps(value), self._expiry(timeout), time.time()]
        return self._run(_TAKE, entry) is not None

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        value = self._entry(key, version).values_list("value", flat=True).first()
        return default if value is None else json.loads(value)

    def set(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        name = self.make_and_validate_key(key, version)
        entry = CacheEntry(key=name, value=json.dumps(value), expires=self._expiry(timeout))
        CacheEntry.objects.bulk_create(
            [entry],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["value", "expires"],
        )

    def touch(
        self,
        key: str,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        return bool(self._entry(key, version).update(expires=self._expiry(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._entry(key, version).delete()[0])

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Increment a number, in one statement. Raises ValueError if there is none."""
        name = self.make_and_validate_key(key, version)
        row = self._run(_COUNT, [delta, name, time.time()])
        if row is None:
            raise ValueError(f"Key '{key}' not found.")
        return int(row[0])

    def clear(self) -> None:
        CacheEntry.objects.all().delete()

    def _entry(self, key: str, version: int | None) -> QuerySet[CacheEntry]:
        name = self.make_and_validate_key(key, version)
        return CacheEntry.objects.filter(key=name, expires__gt=time.time())

    def _expiry(self, timeout: float | None) -> float:
        seconds = self.get_backend_timeout(timeout)
        # The year 2100 for entries that never expire.
        return 4_102_444_800.0 if seconds is None else seconds

    def _run(self, sql: str, parameters: list[Any]) -> tuple[Any, ...] | None:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row
