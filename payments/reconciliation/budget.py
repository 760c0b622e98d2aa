"""How often M-Pesa may be asked about prompts, by all workers together.

The sandbox was seen to answer five status queries a minute and to refuse the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from payments.models import QueryBudget

#: Minutes gone by are forgotten after this long.
KEPT = timedelta(hours=1)


def take_query_token(now: datetime) -> bool:
    """Take one query out of this minute's budget; False when it is spent.

    Counted in the database, the one thing all workers share.
    """
    minute = now.replace(second=0, microsecond=0)
    QueryBudget.objects.bulk_create([QueryBudget(minute=minute)], ignore_conflicts=True)
    left = QueryBudget.objects.filter(minute=minute, used__lt=settings.DARAJA_QUERIES_A_MINUTE)
    return bool(left.update(used=F("used") + 1))


def delete_old_budgets(now: datetime) -> int:
    """Delete the minutes that are long gone. Safe to repeat."""
    return QueryBudget.objects.filter(minute__lt=now - KEPT).delete()[0]
