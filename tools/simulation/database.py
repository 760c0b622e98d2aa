"""A database in memory that begins anew in a millisecond."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from payments.originals import add_digest


class Memory:
    """Stands in for the test database. ``log`` remembers a state, ``begin_again`` returns to it.

    Everything else is Django's own: transactions, savepoints, work after a commit.
    """

    def __init__(self) -> None:
        self._kept = self._new()

    def keep(self) -> None:
        """Remember the database as it is now."""
        connection.connection.backup(self._kept)

    def begin_again(self) -> None:
        """Put the remembered state back, the numbers of rows to come included."""
        self._kept.backup(connection.connection)

    def close(self) -> None:
        self._kept.close()

    @staticmethod
    def _new() -> Any:
        parameters = connection.get_connection_params()
        new = connection.get_new_connection({**parameters, "database": ":memory:"})
        add_digest(new)
        # Django begins its transactions itself.
        new.isolation_level = None
        return new


@contextmanager
def in_memory() -> Iterator[Memory]:
    """Move the test database into memory, as it is, and leave the one on disk alone."""
    connection.ensure_connection()
    on_disk, name = connection.connection, connection.settings_dict["NAME"]
    memory = Memory()
    copy = memory._new()
    on_disk.backup(copy)
    connection.connection = copy
    # Django keeps a connection open where closing it would lose everything.
    connection.settings_dict["NAME"] = ":memory:"
    memory.keep()
    try:
        yield memory
    finally:
        connection.settings_dict["NAME"] = name
        connection.connection = on_disk
        copy.close()
        memory.close()
