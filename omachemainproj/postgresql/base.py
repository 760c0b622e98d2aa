"""Django's PostgreSQL backend, with a cheaper health check of pooled connections.

Django's own (``CONN_HEALTH_CHECKS``) is a query before each request, which costs as much as the
query of a page. A server that closed a connection has left something to read on its socket, and
to poll a socket costs next to nothing.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Uses pooled connections only while the server has not closed them."""

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
