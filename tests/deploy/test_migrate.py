"""Concurrent migrates do the work of one; none is interrupted or blocks the shop."""

import os
import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from daraja_simulator.tests.waiting import PATIENCE
from omachemainproj.postgresql import migrating
from omachemainproj.postgresql.migrating import LOCK, one_at_a_time

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def other():
    """A second connection to the same database, with the shop's timeouts."""
    wrapper = connection.copy(alias="other")
    wrapper.settings_dict["OPTIONS"] = {
        **wrapper.settings_dict["OPTIONS"],
        "options": "-c statement_timeout=7000 -c lock_timeout=6000"
        " -c idle_in_transaction_session_timeout=7000",
    }
    yield wrapper
    wrapper.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(migrating, "PAUSE", 0.05)
    monkeypatch.setattr(migrating, "PATIENCE", PATIENCE)


def ask(wrapper, statement):
    with wrapper.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def test_a_second_migrate_waits_for_the_first_and_then_finds_nothing_to_do(other):
    said, told = StringIO(), StringIO()
    second = threading.Thread(target=migrate_and_hang_up, args=(said, told))
    with one_at_a_time(other, tell=str):
        second.start()
        second.join(0.6)
        waited = second.is_alive()
    second.join(PATIENCE)

    assert waited
    assert told.getvalue().strip() == "Another migrate is running; waiting for it to finish."
    assert "No migrations to apply." in said.getvalue()


def migrate_and_hang_up(said, told):
    try:
        call_command("migrate", stdout=said, stderr=told)
    finally:
        connection.close()


def test_an_index_is_built_concurrently_while_a_second_migrate_waits(other):
    second = threading.Thread(target=migrate_and_hang_up, args=(StringIO(), StringIO()))
    with one_at_a_time(other, tell=str):
        second.start()
        second.join(0.3)
        ask(other, "CREATE INDEX CONCURRENTLY a_big_one ON orders_order (created_at)")
        ask(other, "DROP INDEX CONCURRENTLY a_big_one")
        assert second.is_alive()
    second.join(PATIENCE)
    assert not second.is_alive()


def test_a_migrate_that_waits_too_long_says_so(other, monkeypatch):
    monkeypatch.setattr(migrating, "PATIENCE", 0.2)
    with one_at_a_time(other, tell=str), pytest.raises(CommandError, match="does not finish"):
        call_command("migrate", stdout=StringIO(), stderr=StringIO())


def test_a_migrations_statements_have_no_timeout_but_its_locks_do(other):
    with one_at_a_time(other, tell=str):
        assert ask(other, "SHOW statement_timeout") == "0"
        assert ask(other, "SHOW idle_in_transaction_session_timeout") == "0"
        assert ask(other, "SHOW lock_timeout") == "6s"


def test_a_migrate_that_failed_leaves_the_connection_as_it_was(other):
    with pytest.raises(ZeroDivisionError), one_at_a_time(other, tell=str):
        raise ZeroDivisionError

    assert ask(other, "SHOW statement_timeout") == "7s"
    assert ask(other, "SHOW idle_in_transaction_session_timeout") == "7s"
    assert ask(connection, f"SELECT pg_try_advisory_lock({LOCK})") is True
    ask(connection, f"SELECT pg_advisory_unlock({LOCK})")


def test_a_plan_is_shown_while_another_migrates(other):
    said = StringIO()
    with one_at_a_time(other, tell=str):
        call_command("migrate", "--plan", stdout=said)
    assert "No planned migration operations." in said.getvalue()


@pytest.fixture
def as_stranger():
    """The connection as a role that owns nothing, in a database without tables."""
    role = f"omache_stranger_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA empty")
        cursor.execute(f"CREATE ROLE {role} NOSUPERUSER NOCREATEDB NOCREATEROLE")
        cursor.execute(f"GRANT USAGE ON SCHEMA empty TO {role}")
        cursor.execute(f"SET ROLE {role}")
        cursor.execute("SET search_path TO empty")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET search_path")
        cursor.execute("RESET ROLE")
        cursor.execute("DROP SCHEMA empty CASCADE")
        cursor.execute(f"DROP ROLE {role}")


@pytest.mark.usefixtures("as_stranger")
def test_a_role_that_may_not_change_the_tables_is_told_who_migrates():
    with pytest.raises(CommandError, match="Migrate as their owner, then run database_role"):
        call_command("migrate", stdout=StringIO())
