"""Payments that Safaricom takes back at their customers' word, without a word to the shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from daraja_simulator.books import CUSTOMER_REVERSAL, Entry
from payments.models import Receipt, Refund, TransferStatus, Way

from .books import STATEMENT
from .chance import Chance
from .part import NEWEST, Part

#: In so many of a seed's steps a customer calls Safaricom, in a seed in which they do at all.
HOW_OFTEN, IN_SEEDS = (0.02, 0.06, 0.15), 0.6


@dataclass
class Reversals(Part):
    """What customers have taken back, and finance finds on the portal where nobody else tells.

    Drawn from random numbers of its own: a seed of before plays as it did.
    """

    WEIGHTS: ClassVar[dict[str, int]] = {"take_back": 1}

    def __post_init__(self) -> None:
        self.how_often = self.chance.choice(HOW_OFTEN) if self.chance.happens(IN_SEEDS) else 0.0

    @property
    def chance(self) -> Chance:
        return self.run.reversal_chance

    def act(self) -> None:
        """Let a customer have one of the newest payments taken back, or none."""
        if self.chance.happens(self.how_often):
            self.take_back()

    def take_back(self) -> None:
        came = [entry for entry in self._entries() if entry.direction == "in"][-NEWEST:]
        if not came:
            return
        receipt = self.chance.choice(came).receipt
        try:
            told = self.run.safaricom.reverse_for_customer(receipt)
        except ValueError as no:
            self.run.log(f"a customer has {receipt} taken back: {no}")
        else:
            self.run.processes.counts["taken back by customers"] += 1
            self.run.log(f"a customer has {receipt} taken back: {told['receipt']}")

    def finish(self) -> None:
        """Finance writes down what the portal shows, in a shop without the statement."""
        if STATEMENT in self.run.sources:
            return
        for entry in self._entries():
            if entry.purpose.transaction_type == CUSTOMER_REVERSAL and not _is_known(entry):
                receipt = Receipt.objects.filter(number=entry.purpose.reverses).first()
                if receipt is not None:
                    by = self.chance.choice(self.crew.finance)
                    self.press("receipt.reversed", receipt, by, number=entry.receipt)

    def _entries(self) -> list[Entry]:
        return self.run.safaricom.world.books.entries()


def _is_known(reversal: Entry) -> bool:
    gone = Refund.objects.filter(
        receipt__number=reversal.purpose.reverses, status=TransferStatus.DONE
    )
    return gone.filter(way__in=(Way.OUTSIDE, Way.REVERSAL)).exists()
