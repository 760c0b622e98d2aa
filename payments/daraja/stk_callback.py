"""Parses the callback of an STK push.

Source: Daraja portal, M-Pesa Express; recorded callbacks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .result_codes import is_success
from .values import (
    UnreadableCallback,
    code_text,
    inner,
    moment,
    printable,
    read_callback,
    receipt_in,
    request_id,
    shown,
    whole_kes,
)

__all__ = ["StkCallback", "UnreadableCallback", "read_stk_callback"]

AMOUNT, RECEIPT = "Amount", "MpesaReceiptNumber"
#: Items that decide about money, and must not occur twice.
DECISIVE = frozenset({AMOUNT, RECEIPT})


@dataclass(frozen=True, slots=True)
class StkCallback:
    """The outcome of an STK push.

    A success always has `amount` (whole KES, 1 or more) and `receipt`; a failure has neither.
    `paid_at` is aware, in Nairobi's time. `phone` is the payer's as M-Pesa shows it, nowadays often
    masked or missing: do not match on it. `description` is for display.
    """

    merchant_request_id: str
    checkout_request_id: str
    result_code: str
    description: str
    amount: int | None = None
    receipt: str = ""
    paid_at: datetime | None = None
    phone: str = ""

    @property
    def succeeded(self) -> bool:
        return is_success(self.result_code)


def read_stk_callback(body: bytes | memoryview) -> StkCallback:
    """Parse the body of an M-Pesa Express callback, up to 64 kB.

    Lenient about fields that are only displayed (date, phone, description), strict about those that
    decide about money (ids, code, amount, receipt). It does not prove who sent it.

    Raises UnreadableCallback, and nothing else, for any bytes.
    """
    return read_callback(body, _callback)


def _callback(document: Any) -> StkCallback:
    callback = inner(inner(document, "Body"), "stkCallback")
    result_code = code_text(callback.get("ResultCode"))
    if not result_code:
        raise UnreadableCallback("ResultCode is missing or is not a code.")
    succeeded = is_success(result_code)
    facts = _facts(callback) if succeeded else {}
    return StkCallback(
        merchant_request_id=_id(callback, "MerchantRequestID"),
        checkout_request_id=_id(callback, "CheckoutRequestID"),
        result_code=result_code,
        description=printable(callback.get("ResultDesc")),
        amount=whole_kes(facts.get(AMOUNT), AMOUNT) if succeeded else None,
        receipt=receipt_in(facts.get(RECEIPT), RECEIPT) if succeeded else "",
        paid_at=moment(facts.get("TransactionDate")),
        phone=shown(facts.get("PhoneNumber")),
    )


def _facts(callback: dict[str, Any]) -> dict[str, Any]:
    """The items by name: their order and number vary, and Balance may come without a value."""
    items = inner(callback, "CallbackMetadata").get("Item")
    if not isinstance(items, list):
        raise UnreadableCallback("CallbackMetadata has no list of items.")
    facts: dict[str, Any] = {}
    for item in items:
        name = item.get("Name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            continue
        if name in facts and name in DECISIVE:
            raise UnreadableCallback("The same item is given twice.")
        facts.setdefault(name, item.get("Value"))
    return facts


def _id(callback: dict[str, Any], name: str) -> str:
    value = request_id(callback.get(name))
    if not value:
        raise UnreadableCallback(f"{name} is missing or is not 1 to 64 visible characters.")
    return value
