"""How PostgreSQL's errors become Django's."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DatabaseErrorWrapper, OperationalError
from psycopg import errors


class ErrorWrapper(DatabaseErrorWrapper):
    """Django's, except that a database which accepts no writes is an ``OperationalError``.

    Django calls it an internal error, as if the statement were wrong. But it is a standby, or the
    former primary after a failover, or out of disk space: the shop is busy, and the next
    connection may reach another server (``target_session_attrs``), so this one is not used again.
    """

    wrapper: BaseDatabaseWrapper

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        wrapper: Any = self.wrapper
        if isinstance(exc_value, errors.ReadOnlySqlTransaction):
            wrapper.errors_occurred = True
            if wrapper.connection is not None:
                wrapper.connection.accepts_no_writes = True
            raise OperationalError(*exc_value.args).with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)
