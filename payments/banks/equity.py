"""Equity Bank: reads its instant payment notifications (IPN).

Source: developer.jengahq.io, "Instant Payment Notifications".
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from omachemainproj.dates import NAIROBI
from omachemainproj.strict_json import NotStrictJson, read_json, read_json_forgivingly

from .bank import Bank, BankNotification, PayBill, UnreadableNotification
from .basic_auth import has_credentials

MAX_BYTES = 64 * 1024
MOST_KES = 999_999_999
YEARS = range(2007, 3000)

_RECEIPT = re.compile(r"[!-~]{1,40}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def read_notification(body: bytes) -> BankNotification:
    """Read the body of a notification, up to 64 kB.

    Strict about what money depends on (the bank's reference, status, amount, currency), lenient
    about what is only shown. Raises UnreadableNotification, and nothing else, for any bytes.
    """
    try:
        document = read_json(body, at_most=MAX_BYTES)
    except NotStrictJson as fault:
        # What a name or a date holds must not cost the amount beside it.
        try:
            return _notification(read_json_forgivingly(body, at_most=MAX_BYTES))
        except (NotStrictJson, UnreadableNotification):
            raise UnreadableNotification(str(fault)) from fault
    return _notification(document)


def _notification(document: Any) -> BankNotification:
    if not isinstance(document, dict) or document.get("callbackType") != "IPN":
        raise UnreadableNotification("callbackType is not IPN.")
    transaction, bank = _part(document, "transaction"), _part(document, "bank")
    customer = document.get("customer")
    customer = customer if isinstance(customer, dict) else {}
    status = transaction.get("status")
    if status not in {"SUCCESS", "FAILED"}:
        raise UnreadableNotification("status is neither SUCCESS nor FAILED.")
    number = bank.get("reference")
    if not isinstance(number, str) or not _RECEIPT.fullmatch(number):
        raise UnreadableNotification("The bank's reference is missing or is not a reference.")
    return BankNotification(
        number=number,
        amount=_amount(transaction.get("amount")),
        currency=_text(transaction.get("currency")),
        succeeded=status == "SUCCESS",
        reference=_text(transaction.get("billNumber")),
        phone=_text(customer.get("mobileNumber")),
        payer=_text(customer.get("name")),
        remarks=_text(transaction.get("remarks")),
        paid_at=_when(transaction.get("date")),
    )


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    part = document.get(name)
    if not isinstance(part, dict):
        raise UnreadableNotification(f"There is no {name} object.")
    return part


def _amount(value: Any) -> int:
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UnreadableNotification("amount is missing or is not a number.")
    if not 1 <= value <= MOST_KES or value != int(value):
        raise UnreadableNotification("amount is not a whole number of shillings, 1 or more.")
    return int(value)


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**40 else ""
    text = value[:100] if isinstance(value, str) else ""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _when(value: Any) -> datetime | None:
    """Times without a zone are Nairobi's."""
    try:
        paid_at = datetime.fromisoformat(value)
        # A year outside these is a garbled date, which a database may not be able to keep.
        if paid_at.year not in YEARS:
            return None
        return paid_at if paid_at.tzinfo else paid_at.replace(tzinfo=NAIROBI)
    except (TypeError, ValueError, OverflowError):
        return None


def _is_from_bank(request: HttpRequest) -> bool:
    return has_credentials(
        request, username=settings.EQUITY_IPN_USERNAME, password=settings.EQUITY_IPN_PASSWORD
    )


def _pay_bill(reference: str) -> PayBill | None:
    """None as well where the bank could not notify us: what is paid there would not be seen."""
    if not settings.EQUITY_IPN_PASSWORD or not settings.EQUITY_ACCOUNT:
        return None
    account = settings.EQUITY_ACCOUNT.replace("{reference}", reference)
    return PayBill(settings.EQUITY_PAY_BILL, account)


BANK = Bank(
    key="equity",
    name="Equity Bank",
    authenticate=_is_from_bank,
    read=read_notification,
    pay_bill=_pay_bill,
)
