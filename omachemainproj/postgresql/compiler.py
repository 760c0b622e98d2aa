"""Django's PostgreSQL compilers, with cached SQL for ``INSERT``.

Generating the SQL costs Django more than PostgreSQL needs to parse it, and only the values differ
between rows. A few rows are sent as ``VALUES``: as arrays, which Django uses from two rows on, they
cost both sides more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql import compiler
from django.db.backends.postgresql.compiler import (
    SQLAggregateCompiler,
    SQLCompiler,
    SQLDeleteCompiler,
    SQLUpdateCompiler,
)
from django.db.models.sql.compiler import SQLInsertCompiler as AnySQLInsertCompiler

from .readers import reader_of

__all__ = [
    "SQLAggregateCompiler",
    "SQLCompiler",
    "SQLDeleteCompiler",
    "SQLInsertCompiler",
    "SQLUpdateCompiler",
]

#: Rows sent as ``VALUES``; more are sent as arrays, in one statement for any number.
_FEW = 8
#: By model, columns, rows, conflicts and returned columns: bounded by the shop's code.
_written: dict[Any, tuple[str, tuple[Any, ...]]] = {}


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    """Caches its SQL if that does not depend on values."""

    # The stubs only know SELECT statements.
    query: Any
    returning_params: Any
    connection: Any

    def execute_sql(self, returning_fields: Any = None) -> Any:  # type: ignore[override]
        self.returning_fields = returning_fields
        statements = self.as_sql()
        if len(statements) != 1:
            return super().execute_sql(returning_fields)
        cursor = self.connection.execute_shared(*statements[0])
        if not returning_fields:
            return []
        table = self.query.get_meta().db_table
        rows = cursor.fetchall()
        converters = self.get_converters([field.get_col(table) for field in returning_fields])
        return list(self.apply_converters(rows, converters)) if converters else rows

    def as_sql(self) -> Any:  # type: ignore[override]
        fields, objects = self.query.fields, self.query.objs
        if not fields or len(objects) > _FEW:
            return super().as_sql()
        if self.query.raw:
            # A fixture's rows: fields save what the fixture says, without their own `pre_save`.
            return super().as_sql()
        readers, connection = [reader_of(field) for field in fields], self.connection
        values = [read(each, connection) for each in objects for read in readers]
        if any(hasattr(value, "as_sql") for value in values):
            return super().as_sql()
        key = self._kind(fields, len(objects))
        known = _written.get(key)
        if known is None:
            statements: Any = super().as_sql()
            ((sql, parameters),) = statements
            if len(parameters) == len(values):
                _written[key] = sql, self.returning_params
            # Its values, and not those from above: each asking gives a row a new moment
            # (``auto_now_add``), and the instance has the later one.
            return statements
        sql, self.returning_params = known
        return [(sql, tuple(values))]

    def assemble_as_sql(self, fields: Any, value_rows: Any) -> Any:
        if len(value_rows) <= _FEW:
            return AnySQLInsertCompiler.assemble_as_sql(self, fields, value_rows)
        return super().assemble_as_sql(fields, value_rows)

    def _kind(self, fields: Iterable[Any], rows: int) -> Any:
        query = self.query
        return (
            query.model,
            tuple([field.column for field in fields]),
            rows,
            query.on_conflict,
            _columns(query.update_fields),
            _columns(query.unique_fields),
            _columns(self.returning_fields or ()),
        )


def _columns(fields: Iterable[Any]) -> tuple[str, ...]:
    return tuple([field.column for field in fields])
