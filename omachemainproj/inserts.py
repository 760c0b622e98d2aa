"""Inserting a few rows, without what a queryset does before it sends its statement.

``bulk_create`` takes Python three times as long as the statement itself: it is made for any number
of rows of any model, and the shop inserts one or two at a time, always the same.
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

#: Rows of one statement; more go the usual way.
MOST = 8


class _Template(NamedTuple):
    """The statement for so many rows of a model."""

    sql: str
    #: Attributes that PostgreSQL tells of each row, in its order; none where it may leave some out.
    told: Sequence[str]


def insert(rows: Sequence[Model], *, ignore_conflicts: bool = False) -> None:
    """Insert new rows of one model, as ``bulk_create`` does; they get their keys. No signal.

    One statement. What they refer to has been saved. With ``ignore_conflicts`` rows that a
    constraint refuses are left out, and none gets its key. Raises IntegrityError.
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
    cursor = connection.at_once(template.sql, values)  # type: ignore[attr-defined]
    _tell(rows, template, cursor.fetchall() if template.told else [()] * len(rows))


def _tell(rows: Sequence[Model], template: _Template, told: Sequence[Sequence[Any]]) -> None:
    """Let rows know that they are there, and what PostgreSQL told of each."""
    for row, values in zip(rows, told, strict=True):
        row._state.adding, row._state.db = False, connection.alias
        for name, value in zip(template.told, values, strict=True):
            setattr(row, name, value)


def insert_new(rows: Sequence[Model], told: str) -> list[Any]:
    """Insert those rows of one model that no constraint refuses. No signal, and no keys.

    One statement. Returns what the inserted ones have in the column ``told``, like ``product_id``.
    """
    if not rows:
        return []
    model, template = type(rows[0]), None
    column = connection.ops.quote_name(model._meta.get_field(told).column)  # type: ignore[union-attr, arg-type]
    if _is_few(rows):
        template, values = _template_of(rows, ignore_conflicts=True)
    if template is not None:
        cursor = connection.at_once(f"{template.sql} RETURNING {column}", values)  # type: ignore[attr-defined]
        return [value for (value,) in cursor.fetchall()]
    query = InsertQuery(model, on_conflict=OnConflict.IGNORE)
    query.insert_values(_fields(model), list(rows))
    ((sql, parameters),) = query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING {column}", parameters)
        return [value for (value,) in cursor.fetchall()]


def insert_with(row: Model, others: Sequence[Model], *, refers: str) -> None:
    """Insert a new row, which gets its key, and new ones of one model that refer to it by this
    name. No signal. Raises IntegrityError.

    One statement for a few of them on PostgreSQL, else two.
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
    cursor = connection.at_once(whole, values)  # type: ignore[attr-defined]
    _tell([row], template, cursor.fetchall())
    for other in others:
        other._state.adding, other._state.db = False, connection.alias


#: Of the row that is inserted by the same statement.
_NEW_KEY = "(SELECT id FROM first)"


def _is_few(rows: Sequence[Model]) -> bool:
    """Whether these are rows for a template of PostgreSQL's."""
    return connection.vendor == "postgresql" and 0 < len(rows) <= MOST and not _has_number(rows)


def _has_number(rows: Sequence[Model]) -> bool:
    """Whether somebody chose the number of a row that PostgreSQL would give one."""
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
    """The statement, which Django compiles of the first such rows, and its values. None where one
    of them is more than a place in it."""
    model, values = type(rows[0]), _values(rows)
    if any(hasattr(value, "as_sql") for value in values):
        return None, []
    key = (model, len(rows), ignore_conflicts)
    if key in _templates:
        return _templates[key], values
    query = InsertQuery(model, on_conflict=OnConflict.IGNORE if ignore_conflicts else None)
    query.insert_values(_fields(model), list(rows))
    compiler: Any = query.get_compiler(connection=connection)
    told = [] if ignore_conflicts else model._meta.db_returning_fields
    compiler.returning_fields = told
    ((sql, parameters), *more) = compiler.as_sql()
    is_plain = not more and len(parameters) == len(values)
    if not is_plain or any(field.get_db_converters(connection) for field in told):
        return None, []
    _templates[key] = _Template(sql, [field.attname for field in told])
    # Django has read them too, and each reading is of another moment.
    return _templates[key], _values(rows)
