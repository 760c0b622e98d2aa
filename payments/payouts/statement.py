"""A seller's statement: every movement on their account in the ledger, and what it left there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts.models import User
from payments.ledger import balance
from payments.models import Account, LedgerEntry, Side

#: What a movement is called, by the event that posted it.
KINDS = {
    "sale": "sale",
    "commission": "commission",
    "return": "refund",
    "commission-back": "commission_refund",
    "reduction": "price_reduction",
    "payout": "payout",
}
#: Movements read at a time for a file.
BATCH = 1000


class Movement(NamedTuple):
    """One row of a statement. ``amount`` and ``balance`` in KES; below zero what the seller owes.

    ``order`` and ``product`` are of the line that was sold; ``number`` is M-Pesa's, of a payout.
    """

    id: int
    at: datetime
    kind: str
    amount: int
    balance: int
    order: str | None
    product: str | None
    number: str | None


def entries_of_seller(seller: User) -> QuerySet[LedgerEntry]:
    """A seller's own entries, with what a statement shows of each."""
    return LedgerEntry.objects.filter(seller=seller).select_related(
        "posting__share__track__order", "posting__payout"
    )


def with_running_balance(seller: User, newest_first: Sequence[LedgerEntry]) -> list[Movement]:
    """A page of a statement. One query more."""
    if not newest_first:
        return []
    left = balance(Account.SELLERS_PAYABLE, seller_id=seller.pk, up_to=newest_first[0].pk)
    rows = []
    for entry in newest_first:
        rows.append(_movement(entry, left))
        left -= _signed(entry)
    return rows


def whole_statement(seller: User) -> Iterator[list[Movement]]:
    """Everything, oldest first, in batches. One query a batch, and none held open."""
    left, last = 0, 0
    while batch := list(entries_of_seller(seller).filter(pk__gt=last).order_by("pk")[:BATCH]):
        rows = []
        for entry in batch:
            left += _signed(entry)
            rows.append(_movement(entry, left))
        last = batch[-1].pk
        yield rows


def _signed(entry: LedgerEntry) -> int:
    return entry.amount if entry.side == Side.CREDIT else -entry.amount


def _movement(entry: LedgerEntry, left: int) -> Movement:
    posting = entry.posting
    line: Any = posting.share.track if posting.share else None
    return Movement(
        id=entry.pk,
        at=posting.created_at,
        kind=KINDS[posting.event.split(":")[0]],
        amount=_signed(entry),
        balance=left,
        order=line.order.reference if line else None,
        product=line.name if line else None,
        number=posting.payout.number if posting.payout else None,
    )
