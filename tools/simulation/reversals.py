"""Reversals by Safaricom without notice to the shop: payments, for their customers, and payouts
and refunds, taken back from their receivers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from daraja_simulator.entries import CUSTOMER_REVERSAL, PAYOUT_REVERSAL, Entry
from payments.models import (
    Receipt,
    ReceiptSource,
    Refund,
    RefundMethod,
    TransferStatus,
)
from payments.models.refunds import PART_REVERSED

from .activity import NEWEST, Activity
from .books import STATEMENT

#: Share of steps in which a customer calls Safaricom, in seeds with reversals.
HOW_OFTEN, IN_SEEDS = (0.03, 0.1, 0.25), 0.6
#: Share of reversals that take back a part of a payment only.
IN_PARTS = 0.4


@dataclass
class Reversals(Activity):
    """Reversals for customers, and what finance finds on the portal that nothing else reports."""

    WEIGHTS: ClassVar[dict[str, int]] = {"take_back": 1, "take_payout_back": 1}

    def __post_init__(self) -> None:
        self.how_often = self.chance.choice(HOW_OFTEN) if self.chance.happens(IN_SEEDS) else 0.0

    def act(self) -> None:
        """Reverse one of the newest movements of money in each direction, or none."""
        for name in self.WEIGHTS:
            if self.chance.happens(self.how_often):
                getattr(self, name)()

    def take_back(self) -> None:
        """A customer has a payment reversed, or a part of it."""
        came = [entry for entry in self._entries() if entry.is_payment]
        if self.chance.happens(IN_PARTS):
            self._take_back("a part of a payment", came, self._reverse_part)
        else:
            self._take_back("a payment", came, self.run.safaricom.reverse_for_customer)

    def _reverse_part(self, receipt: str) -> Any:
        paid = self.run.safaricom.world.books.find(receipt)
        assert paid is not None
        part = max(1, int(paid.amount * self.chance.choice([0.1, 0.3, 0.5])))
        return self.run.safaricom.reverse_for_customer(receipt, part)

    def take_payout_back(self) -> None:
        """A payment to a phone is taken back from it."""
        outgoing = [entry for entry in self._entries() if entry.purpose.kind == "b2c"]
        self._take_back("what was sent", outgoing, self.run.safaricom.take_payout_back)

    def _take_back(self, what: str, moved: list[Entry], how: Callable[[str], Any]) -> None:
        if not moved:
            return
        receipt = self.chance.choice(moved[-NEWEST:]).receipt
        try:
            told = how(receipt)["receipt"]
        except ValueError as no:
            told = str(no)
        else:
            self.run.processes.counts[f"taken back: {what}"] += 1
        self.run.log(f"{what}, {receipt}, is taken back: {told}")

    def finish(self) -> None:
        """Finance reads the portal's statement of the number that pays out, and settles each
        withdrawal that came back with its return. In a shop without the statement they record what
        it shows of the other number.
        """
        if any(_is_lost(entry) for entry in self._entries()):
            self.run.actors.goods.money_out.read_statement()
        if STATEMENT in self.run.sources:
            return
        for entry in self._entries():
            if entry.purpose.transaction_type == CUSTOMER_REVERSAL and not _is_known(entry):
                receipt = Receipt.objects.filter(number=entry.purpose.reverses).first()
                if receipt is not None:
                    self._record(receipt, entry)

    def _record(self, receipt: Receipt, entry: Entry) -> None:
        """Finance record a reversal that the portal shows, of the whole payment or of a part."""
        by = self.chance.choice(self.people.finance)
        if receipt.amount == entry.amount:
            self.press("receipt.reversed", receipt, by, number=entry.receipt)
        else:
            typed = {"number": entry.receipt, "amount": entry.amount}
            self.press("receipt.part", receipt, by, **typed)

    def _entries(self) -> list[Entry]:
        return self.run.safaricom.world.books.entries()


def _is_lost(entry: Entry) -> bool:
    """Whether it came back without the shop knowing it, or knowing that it did."""
    is_returned = entry.purpose.transaction_type == PAYOUT_REVERSAL
    known = Receipt.objects.filter(number=entry.receipt, source=ReceiptSource.RETURNED)
    return is_returned and not known.exists()


def _is_known(reversal: Entry) -> bool:
    gone = Refund.objects.filter(
        receipt__number=reversal.purpose.reverses, status=TransferStatus.DONE
    )
    whole = gone.filter(way__in=(RefundMethod.OUTSIDE, RefundMethod.REVERSAL))
    is_whole = whole.exclude(result_text=PART_REVERSED).exists()
    return is_whole or gone.filter(number=reversal.receipt).exists()
