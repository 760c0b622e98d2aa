"""One at a time changes what a database consists of: its tables, and who may do what with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db.backends.base.base import BaseDatabaseWrapper

#: The number of the advisory lock: whoever holds it in a database migrates it.
LOCK = 0x6F6D61636865  # "omache"
#: Seconds between two tries to be the one.
PAUSE = 1.0
#: Seconds after which the other one is taken for stuck.
PATIENCE = 15 * 60


@contextmanager
def one_at_a_time(connection: BaseDatabaseWrapper, tell: Callable[[str], object]) -> Iterator[None]:
    """Be the only one in this database, for as long as it takes; who comes second waits.

    No statement is cut off, as a request's would be after five seconds; but none waits longer than
    lock_timeout for a table that is in use, since everybody else would wait behind it. ``tell`` is
    given a sentence where it waits. Raises CommandError after PATIENCE, and at once where a proxy
    gives each transaction another session: the lock is a session's. SQLite lets nobody in beside a
    writer anyway.
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
        # A connection that broke has let go of it.
        if connection.is_usable():
            _run(connection, "RESET statement_timeout")
            _run(connection, "RESET idle_in_transaction_session_timeout")
            _run(connection, f"SELECT pg_advisory_unlock({LOCK})")


def _wait(connection: BaseDatabaseWrapper, tell: Callable[[str], object]) -> None:
    # Asked again and again, and not waited for: CREATE INDEX CONCURRENTLY waits for every
    # statement that runs, and so for one that would wait for its own session.
    deadline = time.monotonic() + PATIENCE
    is_told = False
    while not _run(connection, f"SELECT pg_try_advisory_lock({LOCK})"):
        if time.monotonic() > deadline:
            raise CommandError("Another migrate holds this database and does not end.")
        if not is_told:
            tell("Another migrate is at work here; waiting for its end.")
            is_told = True
        time.sleep(PAUSE)


def _run(connection: BaseDatabaseWrapper, statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None
