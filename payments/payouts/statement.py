"""A seller's statement: every movement on their ledger account, with the running balance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts.models import User
from payments.ledger import balance
from payments.models import Account, LedgerEntry, Side

#: The kind of a movement, by the event that posted it.
KINDS = {
    "sale": "sale",
    "commission": "commission",
    "return": "refund",
    "commission-back": "commission_refund",
    "reduction": "price_reduction",
    "payout": "payout",
    "renounced": "renouncement",
}
#: Movements read per batch of a file.
BATCH = 2000


class Movement(NamedTuple):
    """One row of a statement. ``amount`` and ``balance`` in KES; a balance below zero is the
    seller's debt.

    ``order`` and ``product`` are those of the line that was sold; ``number`` is a payout's M-Pesa
    receipt.
    """

    id: int
    at: datetime
    kind: str
    amount: int
    balance: int
    order: str | None
    product: str | None
    number: str | None


class _Entry(NamedTuple):
    """The columns of an entry that a statement needs, as listed in ``_SHOWN``."""

    id: int
    side: str
    amount: int
    event: str
    at: datetime
    order: str | None
    product: str | None
    number: str | None

    @property
    def signed(self) -> int:
        return self.amount if self.side == Side.CREDIT else -self.amount


_SHOWN = (
    "pk",
    "side",
    "amount",
    "posting__event",
    "posting__created_at",
    "posting__share__track__order__reference",
    "posting__share__track__name",
    "posting__payout__number",
)


def entries_of_seller(seller: User) -> QuerySet[LedgerEntry]:
    """A seller's own entries, with the columns a statement shows."""
    return LedgerEntry.objects.filter(seller=seller).select_related(
        "posting__share__track__order", "posting__payout"
    )


def with_running_balance(seller: User, newest_first: Sequence[LedgerEntry]) -> list[Movement]:
    """A page of a statement with its running balance. One more query."""
    if not newest_first:
        return []
    left = balance(Account.SELLERS_PAYABLE, seller_id=seller.pk, up_to=newest_first[0].pk)
    rows = []
    for each in newest_first:
        entry = _shown(each)
        rows.append(_movement(entry, left))
        left -= entry.signed
    return rows


def whole_statement(seller: User) -> Iterator[list[Movement]]:
    """All movements, oldest first, in batches. One query per batch, and none held open."""
    left, last = 0, 0
    # Values only: building rows of six models for each entry takes three times as long.
    entries = LedgerEntry.objects.filter(seller=seller).order_by("pk").values_list(*_SHOWN)
    while batch := list(entries.filter(pk__gt=last)[:BATCH]):
        rows = []
        for entry in map(_Entry._make, batch):
            left += entry.signed
            rows.append(_movement(entry, left))
        last = batch[-1][0]
        yield rows


def _shown(entry: LedgerEntry) -> _Entry:
    posting = entry.posting
    line: Any = posting.share.track if posting.share else None
    return _Entry(
        id=entry.pk,
        side=entry.side,
        amount=entry.amount,
        event=posting.event,
        at=posting.created_at,
        order=line.order.reference if line else None,
        product=line.name if line else None,
        number=posting.payout.number if posting.payout else None,
    )


def _movement(entry: _Entry, left: int) -> Movement:
    return Movement(
        id=entry.id,
        at=entry.at,
        kind=KINDS[entry.event.split(":")[0]],
        amount=entry.signed,
        balance=left,
        order=entry.order,
        product=entry.product,
        number=entry.number,
    )
