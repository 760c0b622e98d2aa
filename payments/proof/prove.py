"""What must be true of the books at any moment, and the question whether it is.

Each rule (payments.proof.rules) asks the database for the rows that break it, and a healthy shop
has none. What a constraint forbids is not asked again. Nothing is locked and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from omachemainproj.compiled_queries import Fixed, Sometimes, compiled
from orders.models import Order
from payments.models import Payout, Receipt, Refund

from .rule import Reading
from .rules import RULES, Rule

#: Rows named for a broken rule; the rest is counted.
SHOWN = 20


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
        return Proof(
            broken=[broken for rule in rules if (broken := _ask(rule, now))],
            rules=len(rules),
            orders=Order.objects.count(),
            receipts=Receipt.objects.count(),
            refunds=Refund.objects.count(),
            payouts=Payout.objects.count(),
        )


@contextmanager
def one_moment() -> Iterator[None]:
    """Let all that is read inside belong to one moment, without a lock and without writing."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Five seconds are for a page; a whole shop takes longer.
            cursor.execute("SET LOCAL statement_timeout = '10min'")
            yield
    else:
        # Not Django's block, which takes the write lock on SQLite.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _ask(rule: Rule, now: datetime) -> Broken | None:
    if rule.read is not None:
        return _read(rule, rule.read, now)
    ids = _first_breaking(rule, now)
    if not ids:
        return None
    breaking = rule.breaking(now)
    if rule.only is None:
        more = breaking.count() - SHOWN if len(ids) == SHOWN else 0
    else:
        all_ids = rule.only(list(breaking.order_by("pk").values_list("pk", flat=True)))
        ids, more = all_ids[:SHOWN], max(len(all_ids) - SHOWN, 0)
        if not ids:
            return None
    return _named(rule, breaking, ids, more)


def _read(rule: Rule, read: Reading, now: datetime) -> Broken | None:
    ids: list[int] = []
    rows, more = rule.breaking(now), 0
    for pk in read(rows):
        if len(ids) < SHOWN:
            ids.append(pk)
        else:
            more += 1
    return _named(rule, rows, ids, more) if ids else None


def _named(rule: Rule, rows: QuerySet[Any], ids: list[int], more: int) -> Broken:
    return Broken(rule.says, str(rows.model._meta.verbose_name), ids, more)


@compiled
def _first_breaking(rule: Fixed[Rule], now: Sometimes[datetime]) -> QuerySet[Any, int]:
    """Compiled once a rule: to compile them all costs a hundred times what they cost to answer."""
    return rule.breaking(now).order_by("pk").values_list("pk", flat=True)[:SHOWN]
