"""Audit entries in readable form.

Entries store a row's columns as in the database: column names, values of choices, ids of other
rows, times in UTC.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, Model

from .columns import LABELS, MONEY, PHONES
from .formats import dial, kes, write_moment

NONE = "nothing"


def column_label(model: type[Model] | None, name: str) -> str:
    """The label of a column; a column of a related row comes after that row's name."""
    row, _, column = name.rpartition(": ")
    label = LABELS.get(column)
    if label is None:
        field = _field_of(model, column)
        label = str(getattr(field, "verbose_name", column)).replace("_", " ")
    label = f"{label[:1].upper()}{label[1:]}"
    return f"{row}: {label}" if row else label


def format_value(model: type[Model] | None, name: str, value: Any) -> str:
    """A column's value in the admin's format."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in (None, "", [], {}):
        return NONE
    if isinstance(value, list):
        return ", ".join(format_value(model, name, each) for each in value)
    field = _field_of(model, name)
    choices = dict(getattr(field, "flatchoices", None) or ())
    written = choices.get(value) or _by_column(name, value) or _by_kind(field, value)
    return str(written or str(value).replace("_", " "))


def _by_column(name: str, value: Any) -> str:
    if name in MONEY and isinstance(value, int):
        return kes(value)
    return dial(str(value)) if name in PHONES else ""


def _by_kind(field: Any, value: Any) -> str:
    if isinstance(field, DateTimeField):
        with suppress(ValueError):
            return write_moment(datetime.fromisoformat(str(value)))
    if getattr(field, "many_to_one", False) or getattr(field, "one_to_one", False):
        return _row_named(field, value)
    return ""


def _row_named(field: Any, key: Any) -> str:
    """The name of the row with this id, or the id if the row is gone."""
    row = field.related_model._base_manager.filter(pk=key).first()
    return str(row) if row is not None else f"{key} (deleted)"


def _field_of(model: type[Model] | None, name: str) -> Any:
    if model is None:
        return None
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
