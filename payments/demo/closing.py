"""The end of a simulated day: waiting until all is settled, the summary, and comparing books."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, QuerySet, Sum

from accounts.models import User
from orders.models import Order, OrderTrack
from payments.models import (
    Account,
    LedgerEntry,
    Payout,
    Receipt,
    Refund,
    Side,
    TransferStatus,
)
from payments.payouts.balances import annotate_balances
from payments.proof.prove import one_moment, prove
from payments.proof.simulator_books import compare, gap

from .api_client import DemoError, Phones
from .pending import count_pending_work, end_waits

#: Rounds in a row without pending work, since settling something may start something else.
QUIET_ROUNDS = 2
#: Differences shown; the others are counted.
_SHOWN = 20


def wait_until_settled(people: list[int], *, patience: float, say: Any) -> None:
    """Wait until nothing is pending for these users; the shop's own clock does the work.

    Raises DemoError after ``patience`` seconds.
    """
    deadline = time.monotonic() + patience
    quiet, reported = 0, ""
    while quiet < QUIET_ROUNDS:
        end_waits(people)
        time.sleep(0.5)
        waits = count_pending_work(people)
        words = ", ".join(f"{count} {what}" for what, count in waits.items())
        if words and words != reported:
            say(f"Waiting for {words} …")
        reported = words
        quiet = 0 if waits else quiet + 1
        if time.monotonic() > deadline:
            raise DemoError(
                f"After {patience:g} seconds these still wait: {words}. Is the shop's clock "
                "running (manage.py clock)? Are payouts stopped, or over the day's limit (the "
                "console)?"
            )


class Books:
    """Compares the shop's books with the simulator's, before and after the day.

    A restarted simulator has lost earlier movements, so only new differences count.
    """

    def __init__(self, phones: Phones) -> None:
        self._phones = phones
        self._differences, self._gap = self._compare()

    @property
    def differed_before(self) -> int:
        """The number of differences before the day."""
        return len(self._differences)

    def broken(self) -> list[str]:
        """A sentence for everything that is broken now and was not before the day."""
        lines = [str(broken) for broken in prove().broken]
        differences, gap_now = self._compare()
        if gap_now != self._gap:
            lines += sorted(differences - self._differences)
            lines.append(f"The day moved KES {gap_now - self._gap} that only one side knows of.")
        elif new := sorted(differences - self._differences):
            lines += new
        if len(lines) > _SHOWN:
            lines[_SHOWN:] = [f"… and {len(lines) - _SHOWN} more."]
        return lines

    def _compare(self) -> tuple[set[str], int]:
        books = self._phones.books()
        with one_moment():
            return set(compare(books, sums=False)), gap(books)


def summary(people: list[int], actions: Counter[str]) -> Iterator[str]:
    """The results of the day as lines of a table. Money is whole KES.

    The incoming amount is the sum of the rows below it, minus sellers' debts and write-offs.
    """
    orders = Order.objects.filter(buyer__in=people)
    yield from _table("Orders", _counts(orders, "payment_status"))
    lines = OrderTrack.objects.filter(buyer__in=people)
    yield from _table("Lines", _counts(lines, "track_status"))
    yield from _table("What people did", dict(actions.most_common()))
    entries = LedgerEntry.objects.filter(order__in=orders)
    refunds = Refund.objects.filter(order__in=orders, status=TransferStatus.DONE)
    payouts = Payout.objects.filter(seller__in=people, status=TransferStatus.DONE)
    sellers = annotate_balances(User.objects.filter(pk__in=people))
    owed = list(sellers.values_list("owed", flat=True))
    kes = {
        "in from buyers": _sum(Receipt.objects.filter(order__in=orders)),
        "out to sellers": _sum(payouts),
        "back to buyers": _sum(refunds),
        "commission": _credit(entries, Account.COMMISSION),
        "delivery fees": _credit(entries, Account.DELIVERY_FEES),
        "held for goods still to be fetched": _credit(entries, Account.BUYERS_HELD),
        "owed to sellers": sum(each for each in owed if each > 0),
        "owed by sellers, for goods that came back": -sum(each for each in owed if each < 0),
        "written off, for payments that were short": -_credit(entries, Account.WRITE_OFFS),
    }
    yield from _table("KES", kes)


def _counts(rows: QuerySet[Any], field: str) -> dict[str, int]:
    counted = rows.order_by().values(field).annotate(n=Count("pk")).values_list(field, "n")
    return dict(sorted(counted, key=lambda pair: -pair[1]))


def _credit(entries: QuerySet[LedgerEntry], account: Account) -> int:
    there = entries.filter(account=account)
    return _sum(there.filter(side=Side.CREDIT)) - _sum(there.filter(side=Side.DEBIT))


def _sum(rows: QuerySet[Any]) -> int:
    return rows.aggregate(total=Sum("amount"))["total"] or 0


def _table(name: str, rows: dict[str, int]) -> Iterator[str]:
    yield name
    for what, number in rows.items():
        yield f"  {number:>9,}  {what}"
