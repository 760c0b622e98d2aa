"""The integrity check: whether the database satisfies every rule at one moment.

Each rule (payments.proof.rules) queries for the rows that violate it; a healthy shop has none.
What a constraint forbids is not checked again. Nothing is locked and nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from omachemainproj.compiled_queries import Fixed, Sometimes, compiled
from orders.models import Order
from payments.models import Payout, Receipt, Refund

from .key_ranges import Ends, ends_of, even_key_ranges, key_ranges
from .rules import RULES, Rule

#: IDs named for a broken rule; the others are counted.
IDS_SHOWN = 20
#: Makes PostgreSQL read a key range by its keys, and other tables by an index. Otherwise it would
#: scan those tables again for each larger range. The plan of a prepared statement is for ranges of
#: any length, and did so for short ones too: planning each anew takes 2 ms.
_PLANNER_SETTINGS = (
    "plan_cache_mode = force_custom_plan",
    "enable_seqscan = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "random_page_cost = 1.1",
    "max_parallel_workers_per_gather = 0",
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken rule, the first rows that violate it, and how many more there are."""

    rule: str
    rows: str
    ids: list[int]
    more: int

    def __str__(self) -> str:
        named = ", ".join(map(str, self.ids)) + (f" and {self.more} more" if self.more else "")
        return f"{self.rule}: not so for {self.rows} {named}."


@dataclass(frozen=True, slots=True)
class Proof:
    """The result: what was checked, and what is broken."""

    broken: list[Broken]
    rules: int
    orders: int
    receipts: int
    refunds: int
    payouts: int


def prove(now: datetime | None = None, *, rules: Sequence[Rule] = RULES) -> Proof:
    """Check all rules, or these, at one moment.

    Inside a transaction, the check sees what that transaction sees.
    """
    now = now or timezone.now()
    with one_moment():
        ends = ends_of(map(_model_of, rules))
        found = (_check(rule, now, ends[_model_of(rule)]) for rule in rules)
        return Proof(
            broken=[broken for broken in found if broken],
            rules=len(rules),
            orders=Order.objects.count(),
            receipts=Receipt.objects.count(),
            refunds=Refund.objects.count(),
            payouts=Payout.objects.count(),
        )


def check_rule(
    rule: Rule, now: datetime, *, seconds: int, altogether: float | None = None
) -> Broken | None:
    """Check one rule at one moment.

    Raises django.db.Error if a statement takes longer than ``seconds``, and TimeoutError if all key
    ranges of the table take longer than ``altogether`` seconds.
    """
    with one_moment(seconds=seconds):
        model = _model_of(rule)
        return _check(rule, now, ends_of([model])[model], altogether)


@contextmanager
def one_moment(*, seconds: int | None = None) -> Iterator[None]:
    """Read a consistent snapshot, without locks and without writing.

    ``seconds`` limits each statement; by default ten minutes, enough for a large shop.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Longer than the five seconds that a web request has.
            cursor.execute(f"SET LOCAL statement_timeout = '{seconds or 600}s'")
            cursor.execute("".join(f"SET LOCAL {each};" for each in _PLANNER_SETTINGS))
            yield
    else:
        # Not transaction.atomic(), which takes the write lock on SQLite.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                with _interrupted_after(seconds):
                    yield
            finally:
                cursor.execute("ROLLBACK")


@contextmanager
def _interrupted_after(seconds: int | None) -> Iterator[None]:
    """Limit all statements together, since SQLite has no statement timeout."""
    if seconds is None:
        yield
        return
    until = time.monotonic() + seconds
    raw = connection.connection
    raw.set_progress_handler(lambda: time.monotonic() > until, 100_000)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


@cache
def _model_of(rule: Rule) -> type[Model]:
    """The model that a rule is about."""
    return rule.violations(timezone.now()).model


def _check(rule: Rule, now: datetime, ends: Ends, seconds: float | None = None) -> Broken | None:
    ids: list[int] = []
    more, began = 0, time.monotonic()
    for broken_ids in _breaking(rule, now, ends):
        if seconds is not None and time.monotonic() - began > seconds:
            raise TimeoutError(f"it takes more than {seconds:g} seconds")
        shown = broken_ids[: IDS_SHOWN - len(ids)]
        ids += shown
        more += len(broken_ids) - len(shown)
    if not ids:
        return None
    return Broken(rule.description, str(_model_of(rule)._meta.verbose_name), ids, more)


def _breaking(rule: Rule, now: datetime, ends: Ends) -> Iterator[list[int]]:
    """Yield the ids of rows that violate a rule, per key range of the table."""
    if rule.read is not None:
        for start, end in even_key_ranges(ends):
            yield list(rule.read(_within(rule.violations(now), start, end)))
        return
    for start, end in key_ranges(ends):
        ids = _breaking_within(rule, now, start, end)
        yield rule.only(ids) if rule.only is not None and ids else ids


def _within(rows: QuerySet[Any], start: int | None, end: int | None) -> QuerySet[Any]:
    if start is not None:
        rows = rows.filter(pk__gt=start)
    return rows if end is None else rows.filter(pk__lte=end)


@compiled
def _breaking_within(
    rule: Fixed[Rule], now: Sometimes[datetime], start: int | None, end: int | None
) -> QuerySet[Any, int]:
    """Compiled once per rule, since compiling costs a hundred times more than running."""
    return _within(rule.violations(now), start, end).order_by("pk").values_list("pk", flat=True)
