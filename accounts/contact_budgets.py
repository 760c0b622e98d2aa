"""How often a phone may ring or buzz, and an inbox be written to: over all accounts and paths.

Counted in the database, the one thing all processes share, by conditional updates: of any number
at once exactly as many are let through as there is room. A window begins with the first that is
counted in it. Nothing here waits: rows of budgets are locked last, in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from .models import ContactCount

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Budget:
    """At most ``limit`` in ``period`` for whom ``key`` names, like ``prompts:254712345678``."""

    key: str
    limit: int
    period: timedelta

    @cached_property
    def digest(self) -> str:
        """The key of its row: nobody can tell from it whom it is about."""
        named = f"{self.key} {self.period.total_seconds():.0f}"
        return salted_hmac("accounts.contact_budgets", named, algorithm="sha256").hexdigest()


def take(*budgets: Budget, now: datetime) -> bool:
    """Take one out of each, or none where any of them is spent. Returns which. One statement."""
    return take_of_groups(budgets, now=now)


def take_of_groups(*groups: Sequence[Budget], now: datetime) -> bool:
    """Do as ``take`` does of all of these, but lock their rows group by group.

    So does who takes of one group after the other, and the two never wait for each other.
    """
    budgets = [each for group in groups for each in sorted(group, key=lambda each: each.digest)]
    if len(budgets) == 1:
        return bool(_take(budgets, now))
    with transaction.atomic(savepoint=False):
        taken = _take(budgets, now)
        if 0 < len(taken) < len(budgets):
            # A row that was missing when they were looked at was made, and spent, meanwhile.
            ContactCount.objects.filter(pk__in=taken).update(used=F("used") - 1)
    return len(taken) == len(budgets)


def count(*budgets: Budget, now: datetime) -> bool:
    """Count one more in each, up to the first that is exceeded. Returns whether none is.

    It asks and writes as much whatever the answer is, so that the time it takes says nothing.
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


def give_back(*budgets: Budget, now: datetime) -> None:
    """Give one back to each: what it was taken for certainly did not happen."""
    for budget in sorted(budgets, key=lambda each: each.digest):
        row = ContactCount.objects.filter(pk=budget.digest, ends_at__gt=now, used__gt=0)
        row.update(used=F("used") - 1)


def delete_ended_counts(now: datetime) -> int:
    """Delete windows that are over. Safe to repeat, also while one begins anew."""
    return ContactCount.objects.filter(ends_at__lt=now - DAY).delete()[0]


def forget(budget: Budget) -> None:
    """Let what was taken from a budget of one never have been."""
    ContactCount.objects.filter(pk=budget.digest).delete()


def _take(budgets: Sequence[Budget], now: datetime) -> list[str]:
    """The keys of what one was taken of: all of them, or, but for a race, none.

    Locks the rows there are, in the order given, and then makes those there are not.
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
    """What takes one out of each of so many budgets."""
    places = ", ".join(f"(%s, %s, {place})" for place in range(rows))
    named = ", ".join(f"(%s, {place})" for place in range(rows))
    limit_of = "CASE {0} " + "WHEN %s THEN %s " * rows + "END"
    lock = "FOR UPDATE OF row" if can_lock else ""
    # Only keys, moments and numbers are its parameters.
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
    """The keys of budgets, each with a row, made where it is missing, in the order of locks."""
    keys = sorted(each.digest for each in budgets)
    ContactCount.objects.bulk_create(
        [ContactCount(key=key, ends_at=now) for key in keys], ignore_conflicts=True
    )
    return keys
