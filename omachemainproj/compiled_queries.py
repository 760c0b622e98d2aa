"""Statements compiled once and run many times.

Generating the SQL of a query often costs Django more than the database needs to answer it, and the
SQL is the same each time. ``@compiled`` on a function that builds a queryset keeps the SQL, and a
call only fills in the values::

    @compiled
    def _placed_since(buyer: int, since: datetime) -> QuerySet[Order]:
        return Order.objects.filter(buyer=buyer, created_at__gte=since)

    _placed_since(buyer=7, since=now)  # a list of orders, in one query

The function runs with placeholder values, so it must pass them to the queryset without looking at
them. Parameters that shape the statement, like a number of rows, are annotated ``Fixed``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import update_wrapper
from operator import attrgetter, methodcaller
from typing import Annotated, Any, Generic, NamedTuple, ParamSpec, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.transaction import TransactionManagementError

from .query_templates import QueryTemplates
from .queryset_sql import compile_rows, compile_update, compile_update_returning

AnyModel = TypeVar("AnyModel", bound=Model)
Value = TypeVar("Value")
Row = TypeVar("Row")
P = ParamSpec("P")

#: A (hashable) parameter that is part of the statement: each value has its own statement.
Fixed = Annotated[Value, "fixed"]
#: A parameter that not every statement of its function uses.
Sometimes = Annotated[Value, "sometimes"]

#: The return type under ``@compiled_update``: a queryset, and the arguments of ``update()``.
Update = tuple[QuerySet[Any], dict[str, Any]]


class Statement(NamedTuple, Generic[Row]):
    """SQL with its parameters, and the function that converts the driver's rows."""

    sql: str
    parameters: list[Any]
    read: Callable[[Iterable[Any]], list[Row]]

    def rows(self) -> list[Row]:
        """Run the statement. One query."""
        return self.read(_send(self.sql, self.parameters, _fetch))


class Compiled(Generic[P, Row]):
    """A function that built a queryset and now returns its rows: see ``compiled``."""

    def __init__(self, build: Callable[P, QuerySet[Any, Row]]) -> None:
        update_wrapper(self, build)
        self._templates = QueryTemplates(build, compile_rows)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[Row]:
        template, filled = self._templates.fill(args, kwargs)
        if template is None:
            return []
        if template.locks and not connection.in_atomic_block:
            raise TransactionManagementError("a row lock needs a transaction")
        return template.read(_send(template.sql, filled, _fetch))

    def statement(self, *args: P.args, **kwargs: P.kwargs) -> Statement[Row]:
        """The statement of a call with these arguments, for use in a larger statement."""
        template, filled = self._templates.fill(args, kwargs)
        if template is None:
            raise TypeError(f"{self._templates.name}() sends no query for these arguments")
        return Statement(template.sql, filled, template.read)


def compiled(build: Callable[P, QuerySet[Any, Row]]) -> Compiled[P, Row]:
    """Make a function that builds a queryset return its rows, in one query.

    The rows are a list of what the queryset would return: whole instances, with ``select_related``
    ones, or the tuples, named tuples or values of a ``values_list``.
    Parameters are annotated ``int``, ``str``, ``datetime`` (aware; the function may add time to
    it), a ``Sequence`` of these, or one of them ``| None``; ``Fixed`` around anything else. Django
    compiles once for each database vendor, each value of a ``Fixed`` parameter, each length of a
    sequence, and with or without a None.

    Raises TypeError when an argument is missing, unknown or of another type, and when a value is
    not among the SQL's parameters: Django left its condition out, or the function changed it.
    Raises TransactionManagementError when rows are locked outside of a transaction.
    """
    return Compiled(build)


def compiled_update(build: Callable[P, Update]) -> Callable[P, int]:
    """As ``compiled``, for an ``UPDATE``: a call writes, and returns how many rows it wrote."""
    templates = QueryTemplates(build, compile_update)

    def write(*args: P.args, **kwargs: P.kwargs) -> int:
        template, filled = templates.fill(args, kwargs)
        if template is None:
            return 0
        return int(_send(template.sql, filled, _count))

    return update_wrapper(write, build)


def compiled_update_of(build: Callable[P, Update]) -> Callable[P, list[int]]:
    """As ``compiled_update``, but a call returns the primary keys of the rows it wrote."""
    templates = QueryTemplates(build, compile_update_returning)

    def write(*args: P.args, **kwargs: P.kwargs) -> list[int]:
        template, filled = templates.fill(args, kwargs)
        if template is None:
            return []
        return template.read(_send(template.sql, filled, _fetch))

    return update_wrapper(write, build)


def statement_of(rows: QuerySet[Any, Any]) -> Statement[Any]:
    """The statement of a queryset of tuples or values, for use in a larger statement.

    Compiled at each call. Raises EmptyResultSet if Django knows that nothing can match.
    """
    written = compile_rows(rows)
    return Statement(written.sql, written.parameters, written.read)


_fetch, _count = methodcaller("fetchall"), attrgetter("rowcount")


def _send(sql: str, parameters: list[Any], read: Callable[[Any], Any]) -> Any:
    """Send a statement, and return what ``read`` returns for its cursor."""
    execute_shared = getattr(connection, "execute_shared", None)
    if execute_shared is not None:
        return read(execute_shared(sql, parameters))
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return read(cursor)
