"""What the books are made of: one entry per movement of money, and one per top-up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from .clock import stamp

#: The transaction type of a reversal that the merchant did not ask for.
CUSTOMER_REVERSAL = "CustomerReversal"
#: And of a payout that Safaricom took back from whom it was paid to.
PAYOUT_REVERSAL = "PayoutReversal"


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """Why money moves: through which API, for which account at which number, under which request
    ids. What an API does not have is empty.
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

    ``direction`` is seen from the merchant; ``amount`` is whole KES; time is Nairobi's.
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
        """The merchant's number that took or gave the money."""
        return self.purpose.party_b if self.direction == "in" else self.purpose.shortcode

    @property
    def is_payment(self) -> bool:
        """Whether a customer paid: not what came in as a payout was taken back."""
        return self.direction == "in" and not self.purpose.reverses

    def as_json(self) -> dict[str, Any]:
        """Give the entry as ``GET /control/books`` shows it."""
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
    """What was put into a number's utility account, or taken out of it, on the portal: KES."""

    receipt: str
    shortcode: str
    amount: int
    account_after: int
    time: datetime
