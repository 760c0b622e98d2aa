"""What rows that belong to another add up to, as a part of a query about that one."""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, QuerySet, Subquery
from django.db.models.functions import Coalesce


def total(rows: QuerySet[Any], *, by: str, of: Any) -> Coalesce:
    """Per row outside, an aggregate ``of`` the rows inside that belong to it ``by`` this column; 0
    where there are none."""
    totals = rows.order_by().values(by).annotate(total=of).values("total")
    return Coalesce(Subquery(totals), 0, output_field=BigIntegerField())
