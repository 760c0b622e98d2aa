"""Customer to business (C2B): registers our two URLs, and parses what is posted to them.

Source: Daraja portal, Customer To Business (C2B) Register URL.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .connection import Connection
from .errors import DarajaRefusal
from .transaction_types import Direction, direction_of
from .values import (
    UnreadableCallback,
    as_object,
    moment,
    read_callback,
    receipt_in,
    says_reversal,
    shown,
    whole_kes,
)

REGISTER_PATH = "/mpesa/c2b/v2/registerurl"

#: What M-Pesa does with a payment if the validation URL cannot be reached.
RESPONSE_TYPES = ("Completed", "Cancelled")

#: Messages of the code 500.003.1001, which is also a plain internal error.
ALREADY_REGISTERED = ("already registered", "duplicate notification info")

_SHORTCODE = re.compile(r"[0-9]{5,12}")


class C2bCalls(Connection):
    """The part of a client that registers the C2B addresses."""

    def register_c2b_urls(
        self, *, confirmation_url: str, validation_url: str, response_type: str = "Completed"
    ) -> None:
        """Register the URLs for validation and confirmation of payments to our short code.

        `response_type` is what happens to a payment if the validation URL cannot be reached:
        "Completed" or "Cancelled". In production this is accepted once; only the portal can undo
        it.

        Raises ValueError for another type; DarajaRefused, of kind ALREADY_REGISTERED if URLs are
        registered already (possibly other ones); and DarajaUnknown.
        """
        if response_type not in RESPONSE_TYPES:
            raise ValueError(f"response_type must be one of {', '.join(RESPONSE_TYPES)}")
        addresses = {
            "ShortCode": self._account.receiving_shortcode,
            "ResponseType": response_type,
            "ConfirmationURL": confirmation_url,
            "ValidationURL": validation_url,
        }
        reply = self._post(REGISTER_PATH, addresses)
        if reply.is_accepted:
            return
        message = reply.error.message.lower() if reply.error else ""
        if any(words in message for words in ALREADY_REGISTERED):
            raise reply.refused(DarajaRefusal.ALREADY_REGISTERED)
        raise reply.no("registration of addresses")


@dataclass(frozen=True, slots=True)
class C2bPayment:
    """A payment to our number, before (validation) or after (confirmation); both have the same
    fields.

    `reference` is the account as the payer typed it: "" at a till. `phone` is the payer's as M-Pesa
    shows it: masked, or a hash. `paid_at` is aware, in Nairobi's time.
    """

    receipt: str
    amount: int
    shortcode: str
    reference: str = ""
    paid_at: datetime | None = None
    phone: str = ""
    first_name: str = ""
    transaction_type: str = ""
    is_reversal: bool = False

    @property
    def direction(self) -> Direction:
        """The direction of the money, as far as the message tells."""
        return direction_of(self.transaction_type)


def read_c2b_payment(body: bytes | memoryview) -> C2bPayment:
    """Parse the body of a validation or a confirmation, up to 64 kB.

    Strict about the receipt, the amount (whole KES) and the short code paid; lenient about the
    rest. It does not prove who sent it.

    Raises UnreadableCallback, and nothing else, for any bytes.
    """
    return read_callback(body, _payment)


def _payment(document: Any) -> C2bPayment:
    fields = as_object(document)
    transaction_type = shown(fields.get("TransactionType"), at_most=64)
    return C2bPayment(
        receipt=receipt_in(fields.get("TransID"), "TransID"),
        amount=whole_kes(fields.get("TransAmount"), "TransAmount"),
        shortcode=_shortcode(fields.get("BusinessShortCode")),
        reference=shown(fields.get("BillRefNumber"), at_most=64),
        paid_at=moment(fields.get("TransTime")),
        phone=shown(fields.get("MSISDN"), at_most=64),
        first_name=shown(fields.get("FirstName"), at_most=64),
        transaction_type=transaction_type,
        is_reversal=says_reversal(transaction_type),
    )


def _shortcode(value: Any) -> str:
    shortcode = shown(value)
    if not _SHORTCODE.fullmatch(shortcode):
        raise UnreadableCallback("BusinessShortCode is missing or is not 5 to 12 digits.")
    return shortcode
