"""Limits on prompts, SMS and mails per phone and inbox, over all accounts and channels.

Counted in the database, which all processes share, by conditional updates, so that concurrent
requests never exceed a limit. A window begins with the first count in it. Budget rows are locked
last, in key order, so that nothing deadlocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from omachemainproj.batches import delete_in_batches

from .models import ContactCount

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Budget:
    """At most ``limit`` per ``period`` for one ``key``, like ``prompts:254712345678``."""

    key: str
    limit: int
    period: timedelta

    @cached_property
    def digest(self) -> str:
        """The row's key, a keyed digest that does not reveal the phone or inbox."""
        named = f"{self.key} {self.period.total_seconds():.0f}"
        return salted_hmac("accounts.contact_budgets", named, algorithm="sha256").hexdigest()


def take(*budgets: Budget, now: datetime) -> bool:
    """Take one from each budget, or none if any is used up; return whether. One statement."""
    return take_of_groups(budgets, now=now)


def take_of_groups(*groups: Sequence[Budget], now: datetime) -> bool:
    """``take`` from all of these, but lock their rows group by group.

    This is the lock order of callers that take from one group after the other, so the two cannot
    deadlock.
    """
    budgets = [each for group in groups for each in sorted(group, key=lambda each: each.digest)]
    if len(budgets) == 1:
        return bool(_take(budgets, now))
    with transaction.atomic(savepoint=False):
        taken = _take(budgets, now)
        if 0 < len(taken) < len(budgets):
            # A row that was missing at first was created and used up concurrently.
            ContactCount.objects.filter(pk__in=taken).update(used=F("used") - 1)
    return len(taken) == len(budgets)


def count(*budgets: Budget, now: datetime) -> bool:
    """Count one in each budget, up to the first that is exceeded. Returns whether none is.

    It does the same reads and writes for any answer, so that timing reveals nothing.
    """
    within = True
    with transaction.atomic():
        keys = _make_rows(budgets, now)
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


def release(*budgets: Budget, now: datetime) -> None:
    """Release one use of each budget, for an action that certainly did not happen."""
    for budget in sorted(budgets, key=lambda each: each.digest):
        row = ContactCount.objects.filter(pk=budget.digest, ends_at__gt=now, used__gt=0)
        row.update(used=F("used") - 1)


def delete_ended_counts(now: datetime) -> int:
    """Delete windows that have ended. Safe to repeat, also while one starts again."""
    return delete_in_batches(ContactCount.objects.filter(ends_at__lt=now - DAY))


def forget(budget: Budget) -> None:
    """Reset a budget."""
    ContactCount.objects.filter(pk=budget.digest).delete()


def _take(budgets: Sequence[Budget], now: datetime) -> list[str]:
    """Take one from each, and return their keys: all or, except in a race, none.

    Locks existing rows in the given order, then inserts the missing ones.
    """
    adapt = connection.ops.adapt_datetimefield_value
    moment = adapt(now)
    limits = {each.digest: each.limit for each in budgets}
    rows = [(each.digest, adapt(now + each.period)) for each in budgets]
    pairs = [value for pair in limits.items() for value in pair]
    keys = [key for key, _ in rows]
    given = [value for row in rows for value in row]
    sql = _statement(len(rows), connection.features.has_select_for_update)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*keys, *given, moment, *pairs, moment, moment, moment, *pairs])
        return [key for (key,) in cursor.fetchall()]


@lru_cache(maxsize=64)
def _statement(rows: int, can_lock: bool) -> str:
    """The SQL that takes one from each of this many budgets."""
    places = ", ".join(f"(%s, %s, {place})" for place in range(rows))
    named = ", ".join(f"(%s, {place})" for place in range(rows))
    limit_of = "CASE {0} " + "WHEN %s THEN %s " * rows + "END"
    lock = "FOR UPDATE OF row" if can_lock else ""
    # Only keys, times and numbers are parameters.
    return f"""
        WITH known AS (
            SELECT row.key, row.used, row.ends_at
            FROM (VALUES {named}) AS named JOIN accounts_contactcount AS row
                ON row.key = named.column1
            ORDER BY named.column2 {lock}
        )
        INSERT INTO accounts_contactcount AS row (key, used, ends_at)
        SELECT column1, 1, column2 FROM (VALUES {places}) AS asked
        WHERE NOT EXISTS (
            SELECT 1 FROM known WHERE ends_at > %s AND used >= {limit_of.format("key")}
        )
        ORDER BY column3
        ON CONFLICT (key) DO UPDATE SET
            used = CASE WHEN row.ends_at <= %s THEN 1 ELSE row.used + 1 END,
            ends_at = CASE WHEN row.ends_at <= %s THEN excluded.ends_at ELSE row.ends_at END
        WHERE row.ends_at <= %s OR row.used < {limit_of.format("excluded.key")}
        RETURNING key
    """  # noqa: S608


def _make_rows(budgets: Iterable[Budget], now: datetime) -> list[str]:
    """Create missing budget rows; return the keys in lock order."""
    keys = sorted(each.digest for each in budgets)
    ContactCount.objects.bulk_create(
        [ContactCount(key=key, ends_at=now) for key in keys], ignore_conflicts=True
    )
    return keys
