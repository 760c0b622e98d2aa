"""Identifies the constraint that an IntegrityError is about."""

from __future__ import annotations

from django.db import IntegrityError
from django.db.models import Model, UniqueConstraint


def breaks(error: IntegrityError, model: type[Model], name: str) -> bool:
    """Whether a write violated the unique constraint of this ``name`` on a model.

    PostgreSQL names the constraint; SQLite lists its columns and nothing else.
    """
    diagnostics = getattr(error.__cause__, "diag", None)
    if diagnostics is not None:
        return bool(diagnostics.constraint_name == name)
    constraint = next(each for each in model._meta.constraints if each.name == name)
    if not isinstance(constraint, UniqueConstraint):
        raise TypeError(f"{name} is no unique constraint")
    column_of = {field.name: field.column for field in model._meta.concrete_fields}
    columns = ", ".join(f"{model._meta.db_table}.{column_of[name]}" for name in constraint.fields)
    return str(error) == f"UNIQUE constraint failed: {columns}"
