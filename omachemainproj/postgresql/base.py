"""Django's PostgreSQL backend, with a cheaper way to see that a pooled connection still lives.

Django asks the server before each request (``CONN_HEALTH_CHECKS``), which costs as much as the
query of a page. A server that has hung up leaves something to read on the socket, and looking at
a socket costs nothing.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Hands out pooled connections that nobody has hung up on."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        # Bounded by the pool: each turn throws one dead connection away.
        for _ in range(self.pool.max_size if self.pool else 0):
            if not _has_news(connection):
                break
            # Nothing is asked and yet the server has spoken: it said goodbye.
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def _has_news(connection: Any) -> bool:
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
