"""What rows that belong to another add up to, as a part of a query about that one."""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, QuerySet, Subquery
from django.db.models.functions import Coalesce


def total(rows: QuerySet[Any], *, group_by: str, of: Any) -> Coalesce:
    """An aggregate of related rows for each row of the outer query; 0 if there are none.

    ``rows`` are filtered by an OuterRef, ``group_by`` is the column of theirs that it matches, and
    ``of`` is the aggregate.
    """
    totals = rows.order_by().values(group_by).annotate(total=of).values("total")
    return Coalesce(Subquery(totals), 0, output_field=BigIntegerField())
