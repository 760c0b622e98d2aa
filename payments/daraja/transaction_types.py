"""M-Pesa's names of movements, and whether each is an incoming payment.

A confirmation and a statement row look alike for both directions: only this name tells them apart.
"Debit" in it refers to the customer's account, not ours.

Source: Daraja portal, C2B ("Pay Bill", "Buy Goods", formerly "Customer Merchant Payment") and Pull
Transactions ("c2b-pay-bill-debit", "c2b-buy-goods-debit").
"""

import re
from enum import StrEnum


class Direction(StrEnum):
    #: Incoming money.
    IN = "in"
    #: Outgoing money, or the reversal of an earlier payment.
    OUT = "out"
    #: No name was given.
    UNSAID = "unsaid"
    #: An unknown name.
    UNKNOWN = "unknown"


_IN = ("paybill", "buygoods", "merchantpayment")
_OUT = (
    *("revers", "refund", "chargeback", "b2c", "withdraw", "salary", "promotion"),
    *("businesspayment", "disburs", "payout", "charge", "fee", "settlement", "transferto"),
)


def direction_of(transaction_type: str) -> Direction:
    """The direction of a movement by its name, ignoring case and punctuation."""
    word = re.sub(r"[^a-z0-9]", "", transaction_type.lower())
    if not word:
        return Direction.UNSAID
    if any(part in word for part in _OUT):
        return Direction.OUT
    return Direction.IN if any(part in word for part in _IN) else Direction.UNKNOWN
