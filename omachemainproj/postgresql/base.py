"""Django's PostgreSQL backend, with cheaper statements and a cheaper health check.

Parameters are bound on the server (``server_side_binding``), so that PostgreSQL can keep prepared
statements, parsed and planned; that was half of the database's work for an order. Searches are
planned each time: only with the word known can PostgreSQL tell whether it is in three products or
in all of them.

Django's health check (``CONN_HEALTH_CHECKS``) is a query before each request, which costs as much
as a page's query. A connection closed by the server has data to read on its socket, and polling a
socket costs almost nothing.

With ``pooling=transaction`` in DATABASE_URL each transaction may use another connection of a proxy,
so no state here outlives a transaction.
"""

from __future__ import annotations

import re
import select
from collections.abc import Sequence
from functools import cached_property, lru_cache, partial
from typing import Any

from django.db.backends.postgresql import base, operations

from .errors import ErrorWrapper

#: Prepared statements per connection: an order and its payment use eighty.
_PREPARED_STATEMENTS = 250
#: Never prepared: full-text searches, whose plan depends on the words, and savepoints.
_PLANNED_ANEW = re.compile(r"\bto_tsquery\(|\A(?:RELEASE |ROLLBACK TO )?SAVEPOINT ")


@lru_cache(maxsize=4096)
def _is_planned_each_time(sql: str) -> bool:
    return _PLANNED_ANEW.search(sql) is not None


class _Cursor(base.ServerBindingCursor):
    """Prepares repeated statements, except those that are better planned each time."""

    def execute(self, query: Any, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(query, str) and _is_planned_each_time(query):
            kwargs.setdefault("prepare", False)
        return super().execute(query, params, *args, **kwargs)  # type: ignore[misc]


class DatabaseOperations(operations.DatabaseOperations):
    """Uses the compiler that caches the SQL of inserts."""

    compiler_module = "omachemainproj.postgresql.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    """Prepares statements, and discards pooled connections of no more use.

    These are the ones that the server has closed, and the ones to a server that accepts no writes.
    """

    ops_class = DatabaseOperations

    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        """Turns the driver's errors into Django's."""
        return ErrorWrapper(self)

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if params.get("cursor_factory") is base.ServerBindingCursor:
            params["cursor_factory"] = _Cursor
        return params

    @property
    def has_a_session(self) -> bool:
        """Whether session state survives a commit (not behind a transaction-pooling proxy)."""
        return bool(self.settings_dict.get("POOLING") != "transaction")

    def chunked_cursor(self) -> Any:
        """A server-side cursor, which a proxy would lose between transactions.

        Behind a proxy and outside of a transaction all rows are fetched together.
        """
        if self.has_a_session or self.in_atomic_block:
            return super().chunked_cursor()
        return self.cursor()

    def _configure_connection(self, connection: Any) -> bool:
        connection.prepared_max = _PREPARED_STATEMENTS
        return bool(super()._configure_connection(connection))  # type: ignore[misc]

    def execute_shared(self, sql: str, parameters: Sequence[Any]) -> Any:
        """Run a statement and return a shared cursor; read it before running the next one.

        All of these share one cursor per connection: creating one each time, as ``cursor()`` does,
        costs as much as the query itself. Errors, wrappers and query logging work as with
        ``cursor()``.
        """
        if self.queries_logged:
            logging = self.cursor()
            logging.execute(sql, parameters)
            return logging
        self.ensure_connection()
        self.validate_thread_sharing()
        cursor = self._cursor_of_connection()
        execute = self._execute_shared
        for wrapper in reversed(self.execute_wrappers):
            execute = partial(wrapper, execute)
        execute(sql, parameters, False, {"connection": self, "cursor": cursor})
        return cursor

    def _cursor_of_connection(self) -> Any:
        # Stored on the connection itself, which a pool passes from one wrapper to another.
        cursor = getattr(self.connection, "shared_cursor", None)
        if cursor is None or cursor.closed:
            with self.wrap_database_errors:
                cursor = self.connection.shared_cursor = self.create_cursor()
        return cursor

    def _execute_shared(self, sql: str, parameters: Any, many: bool, context: Any) -> None:
        self.validate_no_broken_transaction()
        with self.wrap_database_errors:
            context["cursor"].execute(sql, parameters)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        # Bounded by the pool: each round discards one connection.
        for _ in range(self.pool.max_size if self.pool else 0):
            if not _is_useless(connection):
                break
            # Unexpected data from the server means that it is closing the connection.
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def _is_useless(connection: Any) -> bool:
    if connection.closed or getattr(connection, "accepts_no_writes", False):
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
