"""How often a phone may ring or buzz, and an inbox be written to: over all accounts and paths.

Counted in the database, the one thing all processes share, by conditional updates: of any number
at once exactly as many are let through as there is room. A window begins with the first that is
counted in it. Nothing here waits: rows of budgets are locked last, in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.crypto import salted_hmac

from .models import ContactCount

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Budget:
    """At most ``limit`` in ``period`` for whom ``key`` names, like ``prompts:254712345678``."""

    key: str
    limit: int
    period: timedelta

    @property
    def digest(self) -> str:
        """The key of its row: nobody can tell from it whom it is about."""
        named = f"{self.key} {self.period.total_seconds():.0f}"
        return salted_hmac("accounts.contact_budgets", named, algorithm="sha256").hexdigest()


def take(*budgets: Budget, now: datetime) -> bool:
    """Take one out of each, or none where any of them is spent. Returns which."""
    try:
        with transaction.atomic():
            for budget, row in _rows(budgets, now):
                free = row.filter(Q(ends_at__lte=now) | Q(used__lt=budget.limit))
                if not _add_one(free, budget, now):
                    raise _SpentError()
    except _SpentError:
        return False
    return True


def count(*budgets: Budget, now: datetime) -> bool:
    """Count one more in each, up to the first that is exceeded. Returns whether none is.

    It asks and writes as much whatever the answer is, so that the time it takes says nothing.
    """
    within = True
    with transaction.atomic():
        keys = [budget.digest for budget, _ in _rows(budgets, now)]
        locked = ContactCount.objects.select_for_update().filter(pk__in=keys).order_by("pk")
        rows = {row.key: row for row in locked}
        for budget in budgets:
            row = rows.setdefault(budget.digest, ContactCount(key=budget.digest, ends_at=now))
            if row.ends_at <= now:
                row.used, row.ends_at = 0, now + budget.period
            row.used += within
            within = within and row.used <= budget.limit
        ContactCount.objects.bulk_update(rows.values(), ["used", "ends_at"])
    return within


def give_back(*budgets: Budget, now: datetime) -> None:
    """Give one back to each: what it was taken for certainly did not happen."""
    for budget in sorted(budgets, key=lambda each: each.digest):
        row = ContactCount.objects.filter(pk=budget.digest, ends_at__gt=now, used__gt=0)
        row.update(used=F("used") - 1)


def delete_ended_counts(now: datetime) -> int:
    """Delete windows that are over. Safe to repeat, also while one begins anew."""
    return ContactCount.objects.filter(ends_at__lt=now - DAY).delete()[0]


class _SpentError(Exception):
    """There is no room left in one of the budgets."""


def _rows(budgets: Iterable[Budget], now: datetime) -> list[tuple[Budget, QuerySet[ContactCount]]]:
    """Each budget with its row, made where it is missing, in the order in which rows are locked."""
    ordered = sorted(budgets, key=lambda each: each.digest)
    ContactCount.objects.bulk_create(
        [ContactCount(key=each.digest, ends_at=now) for each in ordered], ignore_conflicts=True
    )
    return [(each, ContactCount.objects.filter(pk=each.digest)) for each in ordered]


def _add_one(row: QuerySet[ContactCount], budget: Budget, now: datetime) -> int:
    is_over = Q(ends_at__lte=now)
    return row.update(
        used=Case(When(is_over, then=Value(1)), default=F("used") + 1),
        ends_at=Case(When(is_over, then=Value(now + budget.period)), default=F("ends_at")),
    )
