"""What M-Pesa calls a movement of money, and whether it is a payment that came in.

A confirmation and a row of the statement look alike whichever way money went: only this word tells.
"Debit" in it is the customer's account, not ours.

Source: Daraja portal, C2B ("Pay Bill", "Buy Goods", formerly "Customer Merchant Payment") and Pull
Transactions ("c2b-pay-bill-debit", "c2b-buy-goods-debit").
"""

import re
from enum import StrEnum


class Direction(StrEnum):
    #: Money came to us.
    IN = "in"
    #: Money went out, or an earlier payment was taken back.
    OUT = "out"
    #: Nobody said.
    UNSAID = "unsaid"
    #: A word we do not know.
    UNKNOWN = "unknown"


_IN = ("paybill", "buygoods", "merchantpayment")
_OUT = (
    *("revers", "refund", "chargeback", "b2c", "withdraw", "salary", "promotion"),
    *("businesspayment", "disburs", "payout", "charge", "fee", "settlement", "transferto"),
)


def direction_of(transaction_type: str) -> Direction:
    """Which way money went by the word for it, in any case, with any signs between letters."""
    word = re.sub(r"[^a-z0-9]", "", transaction_type.lower())
    if not word:
        return Direction.UNSAID
    if any(part in word for part in _OUT):
        return Direction.OUT
    return Direction.IN if any(part in word for part in _IN) else Direction.UNKNOWN
