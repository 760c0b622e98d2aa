"""Where limits are counted: not needed, not waited for, not believed, and shared."""

import pickle
import socket
import time
from contextlib import suppress

import pytest
from django.core.cache import caches

from omachemainproj import background, task_registry
from omachemainproj import caches as ours
from omachemainproj.breaker import Breaker
from omachemainproj.caches import (
    JSONSerializer,
    RedisCache,
    TableCache,
    delete_expired_cache_entries,
)
from omachemainproj.models import CacheEntry
from tests.threads import at_once

REDIS = {"OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.1}}


@pytest.fixture(autouse=True)
def _closed_breakers(monkeypatch):
    monkeypatch.setattr(ours, "redis_breaker", Breaker("Redis"))
    monkeypatch.setattr(background, "task_broker", Breaker("The broker"))


class Silent:
    """A server that takes connections and never answers."""

    def __init__(self, server):
        self._server = server
        self.url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"

    def times_asked(self):
        """How often, since this was asked last."""
        times = 0
        with suppress(BlockingIOError):
            while True:
                self._server.accept()[0].close()
                times += 1
        return times


@pytest.fixture
def silent():
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=500) as server:
        server.setblocking(False)
        yield Silent(server)


@pytest.fixture
def table():
    return TableCache("omachemainproj_cacheentry", {})


def test_without_redis_a_process_counts_by_itself():
    gone = RedisCache("redis://127.0.0.1:1/0", REDIS)
    gone.clear()

    assert gone.add("limit", 1, timeout=60)
    assert [gone.incr("limit") for _ in range(3)] == [2, 3, 4]
    with pytest.raises(ValueError, match="not found"):
        gone.incr("other")


def test_a_slow_redis_is_waited_for_once(silent):
    slow = RedisCache(silent.url, REDIS)

    slow.add("limit", 1, timeout=60)
    first = silent.times_asked()
    for _ in range(100):
        slow.incr("limit")

    assert (first > 0, silent.times_asked()) == (True, 0)


def test_redis_is_asked_again_after_a_while(silent, monkeypatch):
    slow = RedisCache(silent.url, REDIS)
    slow.get("limit")
    assert ours.redis_breaker.is_open

    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + 11)

    assert not ours.redis_breaker.is_open


def test_a_login_is_answered_and_limited_while_redis_is_gone(api, buyer, settings, monkeypatch):
    settings.CACHES = {
        "default": {
            "BACKEND": "omachemainproj.caches.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            **REDIS,
        }
    }
    from omachemainproj.api import throttles

    monkeypatch.setattr("rest_framework.views.APIView.throttle_classes", [throttles.ScopedThrottle])
    monkeypatch.setitem(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "login", "2/min")
    caches["default"].clear()
    told = {"username": "wanjiku", "password": "a long enough secret"}

    assert [api.post("/login/", told).status_code for _ in range(3)] == [200, 200, 429]


class Attack:
    ran = False

    def __reduce__(self):
        return setattr, (Attack, "ran", True)


def test_foreign_values_in_redis_run_no_code():
    assert JSONSerializer().loads(pickle.dumps(Attack())) is None
    assert not Attack.ran


@pytest.mark.parametrize("value", [7, True, None, "a", [1, {"a": "b"}]])
def test_redis_keeps_values_as_json(value):
    kept = JSONSerializer().dumps(value)

    assert JSONSerializer().loads(kept if isinstance(kept, bytes) else str(kept).encode()) == value


@pytest.mark.django_db
def test_a_table_counts_and_forgets(table):
    assert table.add("limit", 1, timeout=60)
    assert not table.add("limit", 1, timeout=60)
    assert [table.incr("limit"), table.incr("limit", 5), table.get("limit")] == [2, 7, 7]
    CacheEntry.objects.update(expires=time.time() - 1)

    assert table.get("limit") is None
    with pytest.raises(ValueError, match="not found"):
        table.incr("limit")
    assert table.add("limit", 1, timeout=60)


@pytest.mark.django_db
def test_a_table_keeps_files_between_two_pages(table):
    table.set("sheet", "name,price\nKettle,1500\n", timeout=60)
    table.set("sheet", "name\n", timeout=None)

    assert (table.get("sheet"), table.touch("sheet", 9), table.delete("sheet")) == (
        "name\n",
        True,
        True,
    )
    assert (table.get("sheet", "none"), table.touch("sheet"), table.delete("sheet")) == (
        "none",
        False,
        False,
    )


@pytest.mark.django_db
def test_counts_whose_window_is_over_are_deleted(table):
    table.add("over", 1, timeout=-1)
    table.add("lasting", 1, timeout=60)

    assert (delete_expired_cache_entries(), CacheEntry.objects.count()) == (1, 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_concurrent_counts_in_many_connections_are_exact(table):
    passed = at_once(*[lambda: table.add("limit", 1, 60) or table.incr("limit")] * 12)

    assert sorted(int(each) for each in passed) == [1, *range(2, 13)]


def test_production_without_redis_shares_its_counts_between_processes():
    from tests.edges.test_startup import setting

    assert setting("s.CACHES['default']['BACKEND']") == "omachemainproj.caches.TableCache"


def test_a_task_that_no_broker_takes_is_done_here_and_its_broker_left_alone(settings, monkeypatch):
    from omachemainproj import celery

    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    asked, done = [], []
    monkeypatch.setitem(task_registry._tasks, "t.task", done.append)

    def delay(*job):
        asked.append(job)
        raise OSError("gone")

    monkeypatch.setattr(celery.run_in_worker, "delay", delay)
    monkeypatch.setattr(background, "name_of", lambda task: "t.task")
    for row in (1, 2, 3):
        background.enqueue(None, row)

    assert (done, asked) == ([1, 2, 3], [("t.task", 1)])
