"""Serialises migrations and changes of roles in one database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db.backends.base.base import BaseDatabaseWrapper

#: The advisory lock's number; its holder may migrate the database.
LOCK = 0x6F6D61636865  # "omache"
#: Seconds between attempts to get the lock.
PAUSE = 1.0
#: Seconds after which the other process is considered stuck.
PATIENCE = 15 * 60


@contextmanager
def one_at_a_time(connection: BaseDatabaseWrapper, tell: Callable[[str], object]) -> Iterator[None]:
    """Hold the migration lock of this database; a second process waits.

    Statements are not cancelled after five seconds, as those of requests are, but none waits longer
    than lock_timeout for a table in use, since everything else would queue behind it. ``tell`` is
    called with a message when it waits. Raises CommandError after PATIENCE, and immediately behind
    a transaction-pooling proxy, since the lock belongs to a session. SQLite only allows one writer
    anyway.
    """
    if connection.vendor != "postgresql":
        yield
        return
    if not getattr(connection, "has_a_session", True):
        raise CommandError(
            "This needs PostgreSQL itself, and DATABASE_URL says pooling=transaction: run it with "
            "the database's own address (docs/scaling.md)."
        )
    _wait(connection, tell)
    try:
        _run(connection, "SET statement_timeout = 0")
        _run(connection, "SET idle_in_transaction_session_timeout = 0")
        yield
    finally:
        # A broken connection has released the lock.
        if connection.is_usable():
            _run(connection, "RESET statement_timeout")
            _run(connection, "RESET idle_in_transaction_session_timeout")
            _run(connection, f"SELECT pg_advisory_unlock({LOCK})")


def _wait(connection: BaseDatabaseWrapper, tell: Callable[[str], object]) -> None:
    # Polled instead of waited for: CREATE INDEX CONCURRENTLY waits for all running statements, and
    # would deadlock with one that waits for its session.
    deadline = time.monotonic() + PATIENCE
    is_reported = False
    while not _run(connection, f"SELECT pg_try_advisory_lock({LOCK})"):
        if time.monotonic() > deadline:
            raise CommandError("Another migrate holds this database and does not finish.")
        if not is_reported:
            tell("Another migrate is running; waiting for it to finish.")
            is_reported = True
        time.sleep(PAUSE)


def _run(connection: BaseDatabaseWrapper, statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None
