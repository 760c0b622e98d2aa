"""The records of the books: movements of money, and top-ups of accounts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from .clock import stamp

#: The transaction type of a reversal at the customer's request.
CUSTOMER_REVERSAL = "CustomerReversal"
#: The transaction type of a payout that Safaricom took back from its receiver.
PAYOUT_REVERSAL = "PayoutReversal"


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """The reason for a movement: its API, shortcode, account reference and request ids.

    Fields that an API does not have are empty.
    """

    kind: str
    shortcode: str
    party_b: str
    transaction_type: str
    reference: str
    description: str
    merchant_request_id: str = ""
    checkout_request_id: str = ""
    conversation_id: str = ""
    originator_conversation_id: str = ""
    reverses: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One movement of money.

    ``direction`` is from the merchant's point of view, ``amount`` is whole KES, ``time`` is Nairobi
    time.
    """

    receipt: str
    direction: Literal["in", "out"]
    phone: str
    amount: int
    wallet_after: int
    account_after: int
    time: datetime
    purpose: Purpose

    @property
    def account(self) -> str:
        """The merchant's shortcode that received or sent the money."""
        return self.purpose.party_b if self.direction == "in" else self.purpose.shortcode

    @property
    def is_payment(self) -> bool:
        """Whether this is a customer's payment, and not a payout that was taken back."""
        return self.direction == "in" and not self.purpose.reverses

    def as_json(self) -> dict[str, Any]:
        """Return the entry as in ``GET /control/books``."""
        return {
            "receipt": self.receipt,
            "direction": self.direction,
            "phone": self.phone,
            "amount": self.amount,
            "wallet_after": self.wallet_after,
            "account_after": self.account_after,
            "time": self.time.isoformat(timespec="seconds"),
            "transaction_date": int(stamp(self.time)),
            **vars(self.purpose),
        }


@dataclass(frozen=True, kw_only=True)
class TopUp:
    """A deposit to a shortcode's utility account on the portal, in KES; negative if withdrawn."""

    receipt: str
    shortcode: str
    amount: int
    account_after: int
    time: datetime
