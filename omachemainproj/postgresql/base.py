"""Django's PostgreSQL backend, with cheaper statements and a cheaper health check.

Values go beside a statement and not in it (``server_side_binding``), so that a connection can have
PostgreSQL keep the statements it sends again and again, parsed and planned: half of what the
database did for an order was that. A search is planned each time: of a word that is known, and only
then, can PostgreSQL tell whether it is in three products or in all of them.

Django's own (``CONN_HEALTH_CHECKS``) is a query before each request, which costs as much as the
query of a page. A server that closed a connection has left something to read on its socket, and
to poll a socket costs next to nothing.

Where the address says ``pooling=transaction``, each transaction may be another connection of a
proxy's: nothing here outlives one.
"""

from __future__ import annotations

import re
import select
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

from django.db.backends.postgresql import base, operations

#: Statements that a connection has PostgreSQL keep: an order and its payment send eighty.
_KEPT = 250
#: What is sent once: a full-text search, whose plan hangs on its words, and a savepoint's own name.
_PLANNED_ANEW = re.compile(r"\bto_tsquery\(|\A(?:RELEASE |ROLLBACK TO )?SAVEPOINT ")


@lru_cache(maxsize=4096)
def _is_planned_anew(sql: str) -> bool:
    return _PLANNED_ANEW.search(sql) is not None


class _Cursor(base.ServerBindingCursor):
    """Lets statements be prepared once they are sent often, but for what is better planned anew."""

    def execute(self, query: Any, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(query, str) and _is_planned_anew(query):
            kwargs.setdefault("prepare", False)
        return super().execute(query, params, *args, **kwargs)  # type: ignore[misc]


class DatabaseOperations(operations.DatabaseOperations):
    """Has inserts written once."""

    compiler_module = "omachemainproj.postgresql.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    """Has statements prepared, and uses no pooled connection that the server has closed."""

    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if params.get("cursor_factory") is base.ServerBindingCursor:
            params["cursor_factory"] = _Cursor
        return params

    @property
    def has_a_session(self) -> bool:
        """Whether what is said to PostgreSQL now is still known to it after a commit."""
        return bool(self.settings_dict.get("POOLING") != "transaction")

    def chunked_cursor(self) -> Any:
        """A cursor of PostgreSQL's own, which a proxy would lose between two transactions.

        There, and outside of one, all rows come at once.
        """
        if self.has_a_session or self.in_atomic_block:
            return super().chunked_cursor()
        return self.cursor()

    def _configure_connection(self, connection: Any) -> bool:
        connection.prepared_max = _KEPT
        return bool(super()._configure_connection(connection))  # type: ignore[misc]

    def at_once(self, sql: str, parameters: Sequence[Any]) -> Any:
        """Send a statement whose answer is read before the next one is sent; returns the cursor.

        A connection has one cursor for all of these: to make one for each, as ``cursor()`` does,
        costs as much as PostgreSQL needs for an answer. Errors, wrappers and the log of queries are
        as they are there.
        """
        if self.queries_logged:
            logging = self.cursor()
            logging.execute(sql, parameters)
            return logging
        self.ensure_connection()
        self.validate_thread_sharing()
        cursor = self._cursor_of_connection()
        execute = self._execute_at_once
        for wrapper in reversed(self.execute_wrappers):
            execute = partial(wrapper, execute)
        execute(sql, parameters, False, {"connection": self, "cursor": cursor})
        return cursor

    def _cursor_of_connection(self) -> Any:
        # On the connection itself: a pool hands it from one wrapper to another.
        cursor = getattr(self.connection, "at_once", None)
        if cursor is None or cursor.closed:
            with self.wrap_database_errors:
                cursor = self.connection.at_once = self.create_cursor()
        return cursor

    def _execute_at_once(self, sql: str, parameters: Any, many: bool, context: Any) -> None:
        self.validate_no_broken_transaction()
        with self.wrap_database_errors:
            context["cursor"].execute(sql, parameters)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        # Bounded by the pool: each round discards one closed connection.
        for _ in range(self.pool.max_size if self.pool else 0):
            if not _is_closed(connection):
                break
            # The server sent something without being asked: it is closing the connection.
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def _is_closed(connection: Any) -> bool:
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
