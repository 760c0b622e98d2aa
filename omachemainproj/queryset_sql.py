"""Querysets as SQL, with functions that convert its rows into what the querysets would return.

They use parts of Django that it does not document: an upgrade of Django may change them.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    NamedValuesListIterable,
    ValuesListIterable,
    get_related_populators,
)
from django.db.models.sql import UpdateQuery


class CompiledSQL(NamedTuple):
    """The SQL Django generated for a queryset, and the function that reads its rows."""

    sql: str
    parameters: list[Any]
    read: Callable[[Iterable[Any]], list[Any]]
    locks: bool = False


def compile_rows(queryset: QuerySet[Any, Any]) -> CompiledSQL:
    """The statement of a queryset. Raises TypeError for one of deferred or prefetched instances."""
    compiler = queryset.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    make = _row_builder(queryset, compiler)
    converters = compiler.get_converters([column for column, *_ in compiler.select])

    def read(found: Iterable[Any]) -> list[Any]:
        if converters:
            # Not the compiler's own connection, which belongs to the thread that compiled.
            converter = type(compiler)(compiler.query, connection, None)
            found = converter.apply_converters(found, converters)
        return [make(row) for row in found]

    return CompiledSQL(sql, list(parameters), read, queryset.query.select_for_update)


def _row_builder(queryset: QuerySet[Any, Any], compiler: Any) -> Callable[[Any], Any]:
    """The function that converts a row of columns into what the queryset would return."""
    kind = queryset._iterable_class
    if kind is ModelIterable:
        return _instance_builder(queryset, compiler)
    if kind is NamedValuesListIterable:
        return namedtuple("Row", queryset._fields)._make  # type: ignore[attr-defined]
    if kind is FlatValuesListIterable:
        return lambda row: row[0]
    if kind is ValuesListIterable:
        return tuple
    raise TypeError(f"{kind.__name__} cannot be compiled")


def _instance_builder(queryset: QuerySet[Any, Any], compiler: Any) -> Callable[[Any], Any]:
    """The function that builds an instance, as ``ModelIterable`` does, with ``select_related``
    instances and annotations as attributes."""
    if queryset._prefetch_related_lookups or queryset.query.deferred_loading[0]:  # type: ignore[attr-defined]
        raise TypeError("only whole instances can be compiled, in one query")
    of_model = compiler.klass_info["select_fields"]
    first, last = of_model[0], of_model[-1] + 1
    model = compiler.klass_info["model"]
    names = [column.target.attname for column, *_ in compiler.select[first:last]]
    # The stubs are for Django 6, where it takes one more argument.
    select, alias = compiler.select, connection.alias
    joined = get_related_populators(compiler.klass_info, select, alias)  # type: ignore[call-arg]
    annotated = list(compiler.annotation_col_map.items())

    def make(row: Any) -> Any:
        instance = model.from_db(connection.alias, names, row[first:last])
        for related in joined:
            related.populate(row, instance)
        for name, position in annotated:
            setattr(instance, name, row[position])
        return instance

    return make


def compile_update(update: tuple[QuerySet[Any], dict[str, Any]]) -> CompiledSQL:
    """The statement of ``update()`` on a queryset, with its arguments."""
    queryset, values = update
    query: Any = queryset.query.chain(UpdateQuery)
    query.add_update_values(values)
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    return CompiledSQL(sql, list(parameters), list)


def compile_update_returning(update: tuple[QuerySet[Any], dict[str, Any]]) -> CompiledSQL:
    """As ``compile_update``, but the statement returns the primary keys of the rows it writes."""
    written, key = compile_update(update), update[0].model._meta.pk
    column = connection.ops.quote_name(key.column)
    return written._replace(
        sql=f"{written.sql} RETURNING {column}", read=lambda rows: [pk for (pk,) in rows]
    )
