"""Statements compiled once and run many times.

To write the SQL of a query costs Django more than the database often needs to answer it, and every
query of a kind has the same SQL. A queryset is built with marks where values will be, compiled and
kept; a run fills the marks in.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.sql import UpdateQuery
from django.db.transaction import TransactionManagementError

AnyModel = TypeVar("AnyModel", bound=Model)

#: Marks for a text and for numbers; nothing a client sends can be one of them. The numbers fit 64
#: bits only: compare a narrower column with an expression, since Django leaves out a condition
#: that the width of a column makes always true.
TEXT = "\x00 a text"
NUMBERS = (-(2**62) - 1, -(2**62) - 2)


class Statement(NamedTuple):
    """SQL with marks among its parameters, and how its rows become Python's."""

    sql: str
    parameters: tuple[Any, ...]
    #: What turns the driver's values into Python's; None where the driver does.
    convert: Callable[[Iterable[Any]], Iterable[Any]] | None
    row: Any

    def rows(self, filled: Mapping[Any, Any] | None = None) -> list[Any]:
        """The answer as named tuples, with these values in place of their marks. One query."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, _fill(self.parameters, filled or {}))
            rows: Iterable[Any] = cursor.fetchall()
        if self.convert:
            rows = self.convert(rows)
        return [self.row._make(row) for row in rows]


def compile_rows(queryset: QuerySet[Any], columns: Sequence[str]) -> Statement:
    """The statement of a ``values_list`` queryset with these columns, for this database."""
    compiler = queryset.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    converters = compiler.get_converters([column for column, *_ in compiler.select])
    convert = _converter(compiler, converters) if converters else None
    row = namedtuple("Row", columns)  # type: ignore[misc]
    return Statement(sql, tuple(parameters), convert, row)


class InstanceStatement(NamedTuple):
    """A statement whose rows are a model's own."""

    statement: Statement
    model: type[Model]
    names: list[str]

    def instances(self, filled: Mapping[Any, Any] | None = None) -> list[Any]:
        """The answer as instances, with these values in place of their marks. One query."""
        rows = self.statement.rows(filled)
        return [self.model.from_db(connection.alias, self.names, row) for row in rows]


def compile_instances(queryset: QuerySet[Any]) -> InstanceStatement:
    """The statement of a queryset of whole instances, for this database."""
    names = [field.attname for field in queryset.model._meta.concrete_fields]
    return InstanceStatement(
        compile_rows(queryset.values_list(*names), names), queryset.model, names
    )


def locked_row(model: type[AnyModel], pk: int) -> AnyModel:
    """The row with this primary key, locked until the transaction ends. One query.

    The lock lets others refer to the row meanwhile (``FOR NO KEY UPDATE``). Raises the model's
    ``DoesNotExist``, and TransactionManagementError outside of a transaction.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("a lock needs a transaction to live in")
    rows = _row_lock(connection.vendor, model).instances({NUMBERS[0]: pk})
    if not rows:
        raise model.DoesNotExist(f"no {model.__name__} {pk}")  # type: ignore[attr-defined]
    row: AnyModel = rows[0]
    return row


@cache
def _row_lock(vendor: str, model: type[Model]) -> InstanceStatement:
    rows = model._default_manager.select_for_update(no_key=True)
    return compile_instances(rows.filter(pk=NUMBERS[0]))


class UpdateStatement(NamedTuple):
    """An ``UPDATE`` with marks among its parameters."""

    sql: str
    parameters: tuple[Any, ...]

    def run(self, filled: Mapping[Any, Any]) -> int:
        """Write, with these values in place of their marks; return how many rows were written."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, _fill(self.parameters, filled))
            return int(cursor.rowcount)


def compile_update(queryset: QuerySet[Any], **values: Any) -> UpdateStatement:
    """The statement of ``queryset.update(**values)``, for this database."""
    query: Any = queryset.query.chain(UpdateQuery)
    query.add_update_values(values)
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    return UpdateStatement(sql, tuple(parameters))


def _fill(parameters: Iterable[Any], filled: Mapping[Any, Any]) -> list[Any]:
    return [filled.get(parameter, parameter) for parameter in parameters]


def _converter(compiler: Any, converters: dict[int, Any]) -> Callable[[Any], Any]:
    def convert(rows: Iterable[Any]) -> Iterable[Any]:
        # Not the compiler's own connection: that one belongs to the thread that compiled.
        return type(compiler)(compiler.query, connection, None).apply_converters(rows, converters)

    return convert
