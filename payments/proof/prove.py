"""What must be true of the books at any moment, and the question whether it is.

Each rule (payments.proof.rules) asks the database for the rows that break it, and a healthy shop
has none. What a constraint forbids is not asked again. Nothing is locked and nothing is written.
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

from .rules import RULES, Rule
from .stretches import Ends, ends_of, even_stretches, stretches

#: Rows named for a broken rule; the rest is counted.
SHOWN = 20
#: How PostgreSQL goes through a stretch: by its keys, and to other tables by an index of theirs. It
#: would read such a table whole, for every stretch anew, once it takes a stretch for long enough.
PLANNED = (
    "enable_seqscan = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "random_page_cost = 1.1",
    "max_parallel_workers_per_gather = 0",
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule, and the rows that break it: the first of them, and how many more there are."""

    rule: str
    rows: str
    ids: list[int]
    more: int

    def __str__(self) -> str:
        named = ", ".join(map(str, self.ids)) + (f" and {self.more} more" if self.more else "")
        return f"{self.rule}: not so for {self.rows} {named}."


@dataclass(frozen=True, slots=True)
class Proof:
    """What was asked, of how much, and what is broken."""

    broken: list[Broken]
    rules: int
    orders: int
    receipts: int
    refunds: int
    payouts: int


def prove(now: datetime | None = None, *, rules: Sequence[Rule] = RULES) -> Proof:
    """Ask every rule, or these, of the database as it stands at one moment.

    Inside a transaction it is asked as that transaction sees it.
    """
    now = now or timezone.now()
    with one_moment():
        ends = ends_of(map(_model_of, rules))
        found = (_ask(rule, now, ends[_model_of(rule)]) for rule in rules)
        return Proof(
            broken=[broken for broken in found if broken],
            rules=len(rules),
            orders=Order.objects.count(),
            receipts=Receipt.objects.count(),
            refunds=Refund.objects.count(),
            payouts=Payout.objects.count(),
        )


def ask_alone(
    rule: Rule, now: datetime, *, seconds: int, altogether: float | None = None
) -> Broken | None:
    """Ask one rule of the database as it stands at one moment.

    Raises django.db.Error where a statement takes longer than so many seconds, and TimeoutError
    where all stretches of its table take longer than so many ``altogether``.
    """
    with one_moment(seconds=seconds):
        model = _model_of(rule)
        return _ask(rule, now, ends_of([model])[model], altogether)


@contextmanager
def one_moment(*, seconds: int | None = None) -> Iterator[None]:
    """Let all that is read inside belong to one moment, without a lock and without writing.

    A statement may take so many seconds; by itself as long as a whole shop takes.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Five seconds are for a page.
            cursor.execute(f"SET LOCAL statement_timeout = '{seconds or 600}s'")
            cursor.execute("".join(f"SET LOCAL {each};" for each in PLANNED))
            yield
    else:
        # Not Django's block, which takes the write lock on SQLite.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                with _interrupted_after(seconds):
                    yield
            finally:
                cursor.execute("ROLLBACK")


@contextmanager
def _interrupted_after(seconds: int | None) -> Iterator[None]:
    """SQLite knows no longest time of a statement: here all of them together have it."""
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
    """Whose rows a rule is about."""
    return rule.violations(timezone.now()).model


def _ask(rule: Rule, now: datetime, ends: Ends, seconds: float | None = None) -> Broken | None:
    ids: list[int] = []
    more, began = 0, time.monotonic()
    for found in _breaking(rule, now, ends):
        if seconds is not None and time.monotonic() - began > seconds:
            raise TimeoutError(f"it takes more than {seconds:g} seconds")
        shown = found[: SHOWN - len(ids)]
        ids += shown
        more += len(found) - len(shown)
    if not ids:
        return None
    return Broken(rule.description, str(_model_of(rule)._meta.verbose_name), ids, more)


def _breaking(rule: Rule, now: datetime, ends: Ends) -> Iterator[list[int]]:
    """The ids of the rows that break a rule, a stretch of the table at a time."""
    if rule.read is not None:
        for start, end in even_stretches(ends):
            yield list(rule.read(_within(rule.violations(now), start, end)))
        return
    for start, end in stretches(ends):
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
    """Compiled once a rule: to compile them all costs a hundred times what they cost to answer."""
    return _within(rule.violations(now), start, end).order_by("pk").values_list("pk", flat=True)
