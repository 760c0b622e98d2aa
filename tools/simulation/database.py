"""An in-memory database that is reset in a millisecond."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from payments.immutable_columns import add_digest


class Memory:
    """Replaces the test database: ``keep`` remembers a state, ``begin_again`` restores it.

    Everything else is Django's own: transactions, savepoints, work after a commit.
    """

    def __init__(self) -> None:
        self._kept = self._new()

    def keep(self) -> None:
        """Remember the current state."""
        connection.connection.backup(self._kept)

    def begin_again(self) -> None:
        """Restore the remembered state, including the sequences of new ids."""
        self._kept.backup(connection.connection)

    def close(self) -> None:
        self._kept.close()

    @staticmethod
    def _new() -> Any:
        parameters = connection.get_connection_params()
        new = connection.get_new_connection({**parameters, "database": ":memory:"})
        add_digest(new)
        # Django begins transactions itself.
        new.isolation_level = None
        return new


@contextmanager
def in_memory() -> Iterator[Memory]:
    """Copy the test database into memory, and leave the one on disk unchanged."""
    connection.ensure_connection()
    on_disk, name = connection.connection, connection.settings_dict["NAME"]
    memory = Memory()
    copy = memory._new()
    on_disk.backup(copy)
    connection.connection = copy
    # Django does not close a connection to an in-memory database, which would lose its data.
    connection.settings_dict["NAME"] = ":memory:"
    memory.keep()
    try:
        yield memory
    finally:
        connection.settings_dict["NAME"] = name
        connection.connection = on_disk
        copy.close()
        memory.close()
