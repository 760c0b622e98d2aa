"""The statements of pages of products, compiled once (omachemainproj.compiled_queries)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from omachemainproj.compiled_queries import NUMBERS, TEXT, Statement, compile_rows

from .representation import COLUMNS

__all__ = ["NUMBERS", "TEXT", "Statement", "compiled"]


def compiled(queryset: QuerySet[Any], *more: str) -> Statement:
    """The statement of a queryset that ended in ``as_rows(*more)``, for this database."""
    return compile_rows(queryset, (*COLUMNS, *more))
