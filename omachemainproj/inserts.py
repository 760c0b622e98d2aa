"""Inserting a few rows with prepared SQL, without the overhead of ``bulk_create``.

``bulk_create`` takes three times as long in Python as the statement in the database: it handles any
number of rows of any model, while the shop mostly inserts one or two of a few models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import AutoField, Model
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery

from omachemainproj.postgresql.readers import reader_of

#: Rows per statement; more are inserted by ``bulk_create``.
MOST = 8


class _Template(NamedTuple):
    """The statement for a number of rows of a model."""

    sql: str
    #: Attributes PostgreSQL returns for each row, in order; none if rows may be left out.
    returning: Sequence[str]


def insert(rows: Sequence[Model], *, ignore_conflicts: bool = False) -> None:
    """Insert new rows of one model like ``bulk_create``, and set their keys. Sends no signals.

    One statement. Related rows must be saved already. With ``ignore_conflicts`` rows that violate a
    constraint are left out, and no keys are set. Raises IntegrityError.
    """
    if not rows:
        return
    model, template = type(rows[0]), None
    values: list[Any] = []
    if _is_few(rows):
        template, values = _template_of(rows, ignore_conflicts)
    if template is None:
        model._base_manager.bulk_create(rows, ignore_conflicts=ignore_conflicts)
        return
    cursor = connection.execute_shared(template.sql, values)  # type: ignore[attr-defined]
    _set_returned(rows, template, cursor.fetchall() if template.returning else [()] * len(rows))


def _set_returned(
    rows: Sequence[Model], template: _Template, returned: Sequence[Sequence[Any]]
) -> None:
    """Mark rows as saved, and set the values PostgreSQL returned."""
    for row, values in zip(rows, returned, strict=True):
        row._state.adding, row._state.db = False, connection.alias
        for name, value in zip(template.returning, values, strict=True):
            setattr(row, name, value)


def insert_new(rows: Sequence[Model], returning: str) -> list[Any]:
    """Insert the rows of one model that violate no constraint. Sends no signals, sets no keys.

    One statement. Returns the values of column ``returning``, like ``product_id``, of inserted
    rows.
    """
    if not rows:
        return []
    model, template = type(rows[0]), None
    column = connection.ops.quote_name(model._meta.get_field(returning).column)  # type: ignore[union-attr, arg-type]
    if _is_few(rows):
        template, values = _template_of(rows, ignore_conflicts=True)
    if template is not None:
        cursor = connection.execute_shared(f"{template.sql} RETURNING {column}", values)  # type: ignore[attr-defined]
        return [value for (value,) in cursor.fetchall()]
    query = InsertQuery(model, on_conflict=OnConflict.IGNORE)
    query.insert_values(_fields(model), list(rows))
    ((sql, parameters),) = query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING {column}", parameters)
        return [value for (value,) in cursor.fetchall()]


def insert_with(row: Model, others: Sequence[Model], *, refers: str) -> None:
    """Insert a new row, setting its key, and new rows of one model that refer to it by the field
    ``refers``. Sends no signals. Raises IntegrityError.

    On PostgreSQL one statement for a few rows, else two.
    """
    template = None
    if _is_few([row]) and _is_few(others):
        template, values = _template_of([row], ignore_conflicts=False)
        of_others, more = _template_of(others, ignore_conflicts=False)
    if template is None or of_others is None:
        insert([row])
        for other in others:
            setattr(other, refers, row)
        insert(others)
        return
    columns = [field.name for field in _fields(type(others[0]))]
    references = {n * len(columns) + columns.index(refers) for n in range(len(others))}
    places = count()
    sql = re.sub("%s", lambda _: _NEW_KEY if next(places) in references else "%s", of_others.sql)
    values += [value for place, value in enumerate(more) if place not in references]
    # Django wrote both.
    whole = f"WITH first AS ({template.sql}), others AS ({sql}) SELECT * FROM first"  # noqa: S608
    cursor = connection.execute_shared(whole, values)  # type: ignore[attr-defined]
    _set_returned([row], template, cursor.fetchall())
    for other in others:
        other._state.adding, other._state.db = False, connection.alias


#: The key of the row inserted by the same statement.
_NEW_KEY = "(SELECT id FROM first)"


def _is_few(rows: Sequence[Model]) -> bool:
    """Whether these rows can use a PostgreSQL template."""
    return connection.vendor == "postgresql" and 0 < len(rows) <= MOST and not _has_number(rows)


def _has_number(rows: Sequence[Model]) -> bool:
    """Whether a row already has a primary key that PostgreSQL would generate."""
    return isinstance(rows[0]._meta.pk, AutoField) and any(row.pk is not None for row in rows)


@lru_cache(maxsize=512)
def _fields(model: type[Model]) -> list[Any]:
    fields = model._meta.concrete_fields
    return [each for each in fields if not each.generated and not isinstance(each, AutoField)]


@lru_cache(maxsize=512)
def _readers(model: type[Model]) -> list[Callable[[Any, Any], Any]]:
    return [reader_of(field) for field in _fields(model)]


def _values(rows: Sequence[Model]) -> list[Any]:
    readers = _readers(type(rows[0]))
    return [read(row, connection) for row in rows for read in readers]


#: By model, rows and whether conflicts are ignored.
_templates: dict[tuple[type[Model], int, bool], _Template] = {}


def _template_of(
    rows: Sequence[Model], ignore_conflicts: bool
) -> tuple[_Template | None, list[Any]]:
    """The statement, compiled by Django for the first rows of a kind, and its values. None if a
    value is an SQL expression."""
    model, values = type(rows[0]), _values(rows)
    if any(hasattr(value, "as_sql") for value in values):
        return None, []
    key = (model, len(rows), ignore_conflicts)
    if key in _templates:
        return _templates[key], values
    query = InsertQuery(model, on_conflict=OnConflict.IGNORE if ignore_conflicts else None)
    query.insert_values(_fields(model), list(rows))
    compiler: Any = query.get_compiler(connection=connection)
    returning = [] if ignore_conflicts else model._meta.db_returning_fields
    compiler.returning_fields = returning
    ((sql, parameters), *more) = compiler.as_sql()
    is_plain = not more and len(parameters) == len(values)
    if not is_plain or any(field.get_db_converters(connection) for field in returning):
        return None, []
    _templates[key] = _Template(sql, [field.attname for field in returning])
    # Read again: Django has read the values too, and ``auto_now_add`` changes each time.
    return _templates[key], _values(rows)
