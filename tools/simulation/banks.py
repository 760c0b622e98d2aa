"""Payments into the shop's account at a bank, and what the bank takes back."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import ClassVar

from orders.models import Order
from payments.models import Receipt

from .activity import Activity
from .network import SAFARICOM, Message
from .seed_data import PHONES

ADDRESS, NAME, PASSWORD = "/safwebhook/bank/equity/", "equity", "ugali na sukuma"
SETTINGS = {
    "EQUITY_IPN_USERNAME": NAME,
    "EQUITY_IPN_PASSWORD": PASSWORD,
    "EQUITY_ACCOUNT": "0180#{reference}",
}


@dataclass
class Banks(Activity):
    """What buyers pay at the bank, and what the bank reports about it."""

    WEIGHTS: ClassVar[dict[str, int]] = {"pay_at_bank": 2, "bank_takes_back": 1}
    #: The bank's own books: KES by number, 0 once it was taken back.
    _books: dict[str, int] = field(default_factory=dict)

    def amount(self, number: str) -> int:
        """The KES that the bank's statement shows under a number, 0 if it shows none."""
        return self._books.get(number, 0)

    def pay_at_bank(self) -> None:
        """Somebody pays an order at the bank, or types what no order has."""
        order = self.one_of(Order.objects.all())
        if order is None:
            return
        number = f"S{self.chance.getrandbits(32):011d}"
        amount = max(1, order.amount + self.chance.choice([0, 0, 0, -1, 50]))
        reference = order.reference if self.chance.happens(0.8) else "PAMOJA"
        self._books[number] = amount
        self._report(number, amount, reference, "C")

    def bank_takes_back(self) -> None:
        """The bank takes back a payment of which nothing was refunded."""
        there = [number for number, amount in self._books.items() if amount]
        untouched = Receipt.objects.filter(provider="equity", number__in=there, refunds=None)
        if receipt := self.one_of(untouched):
            self._books[receipt.number] = 0
            self._report(receipt.number, receipt.amount, receipt.reference, "R")

    def _report(self, number: str, amount: int, reference: str, kind: str) -> None:
        """Post the bank's notification; it may come twice."""
        notification = {
            "callbackType": "IPN",
            "customer": {"name": "WANJIKU K", "mobileNumber": self.chance.choice(PHONES)},
            "transaction": {
                "amount": amount,
                "currency": "KES",
                "billNumber": reference,
                "status": "SUCCESS",
            },
            "bank": {"reference": number, "transactionType": kind, "account": "0180"},
        }
        self.run.log(f"  the bank: {kind} KES {amount} {number} for {reference}")
        password = b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {password}"}
        for _ in range(self.chance.choice([1, 1, 2])):
            body = json.dumps(notification).encode()
            self.run.network.post(Message(ADDRESS, body, headers, SAFARICOM))
