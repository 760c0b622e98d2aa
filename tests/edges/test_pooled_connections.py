"""Pooled connections: one the server hung up on is never handed to a request."""

import pytest
from django.db import OperationalError, connection
from psycopg_pool.base import AttemptWithBackoff

from .startup import production

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pooled():
    """A connection of its own to the same database, with a pool of one."""
    wrapper = connection.copy(alias="pooled")
    wrapper.settings_dict["OPTIONS"] = {
        **wrapper.settings_dict["OPTIONS"],
        "pool": {"min_size": 1, "max_size": 1, "timeout": 5},
    }
    yield wrapper
    wrapper.close()
    wrapper.close_pool()


def ask(wrapper, statement):
    with wrapper.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_a_connection_the_server_hung_up_on_is_replaced_before_it_is_used(pooled):
    first = ask(pooled, "SELECT pg_backend_pid()")
    pooled.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [first])

    second = ask(pooled, "SELECT pg_backend_pid()")

    assert second != first


def test_a_living_connection_is_used_again(pooled):
    first = ask(pooled, "SELECT pg_backend_pid()")
    pooled.close()

    second = ask(pooled, "SELECT pg_backend_pid()")

    assert second == first


def test_a_connection_that_refused_a_write_is_not_used_again(pooled):
    first = ask(pooled, "SELECT pg_backend_pid()")
    with pooled.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    with pytest.raises(OperationalError, match="cannot execute INSERT in a read-only transaction"):
        ask(pooled, "INSERT INTO django_session VALUES ('a', '', now()) RETURNING 1")
    pooled.close()

    second = ask(pooled, "SELECT pg_backend_pid()")

    assert second != first


def test_a_database_that_was_away_for_long_is_found_within_seconds_of_its_return():
    """However long it was away: the pool waits longer before each try, and gives up soon."""
    pool = production("DATABASES", DATABASE_URL="postgres://shop@127.0.0.1:9/shop")["default"]
    attempt = AttemptWithBackoff(timeout=pool["OPTIONS"]["pool"]["reconnect_timeout"])
    now, waits = 0.0, []
    while not attempt.time_to_give_up(now):
        attempt.update_delay(now)
        waits.append(attempt.delay)
        now += attempt.delay

    assert max(waits) <= 3
