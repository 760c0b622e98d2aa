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
from omachemainproj.strict_json import NotStrictJson, read_json, read_json_leniently
from omachemainproj.text import fold_identifier

from .bank import Bank, BankDirection, BankNotification, PayBill, UnreadableNotification
from .basic_auth import has_credentials

MAX_BYTES = 64 * 1024
MAX_KES = 999_999_999
YEARS = range(2007, 3000)

#: Values of ``bank.transactionType``, in capitals. The documentation lists only C and D.
DIRECTIONS = {
    **dict.fromkeys(("C", "CR", "CREDIT"), BankDirection.IN),
    **dict.fromkeys(("D", "DR", "DEBIT", "R", "REVERSAL", "REVERSED"), BankDirection.OUT),
}
#: What the bank writes instead of a missing reference.
NO_NUMBER = {"NONE", "NULL", "NIL", "NA", "N/A"}
SHILLINGS = {"", "KES", "KSH", "KSHS"}

_ACCOUNT = re.compile(r"[0-9]{10,16}(?![0-9])")
_RECEIPT = re.compile(r"[!-~]{1,40}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def read_notification(body: bytes) -> BankNotification:
    """Read the body of a notification, up to 64 kB.

    Strict about everything that money depends on (direction, reference, status, amount, currency,
    account), ignoring case and surrounding spaces; lenient about display-only fields. Raises only
    UnreadableNotification, whatever the bytes.
    """
    try:
        document = read_json(body, at_most=MAX_BYTES)
    except NotStrictJson as fault:
        # A malformed name or date must not make the payment unreadable.
        try:
            return _notification(read_json_leniently(body, at_most=MAX_BYTES))
        except (NotStrictJson, UnreadableNotification):
            raise UnreadableNotification(str(fault)) from fault
    return _notification(document)


def _notification(document: Any) -> BankNotification:
    if not isinstance(document, dict) or _keyword(document.get("callbackType")) != "IPN":
        raise UnreadableNotification("callbackType is not IPN.")
    transaction, bank = _part(document, "transaction"), _part(document, "bank")
    customer = document.get("customer")
    customer = customer if isinstance(customer, dict) else {}
    status = _keyword(transaction.get("status"))
    if status not in {"SUCCESS", "FAILED"}:
        raise UnreadableNotification("status is neither SUCCESS nor FAILED.")
    direction = DIRECTIONS.get(_keyword(bank.get("transactionType")), BankDirection.UNSAID)
    is_money_in = status == "SUCCESS" and direction == BankDirection.IN
    number = _number(bank.get("reference")) or _number(transaction.get("reference"), least=6)
    if is_money_in and not number:
        raise UnreadableNotification("The bank's reference is missing or is not a reference.")
    return BankNotification(
        number=number,
        # Only incoming money needs a valid amount.
        amount=_amount(transaction.get("amount")) if is_money_in else 0,
        currency=_currency(transaction),
        direction=direction,
        succeeded=status == "SUCCESS",
        reference=_text(transaction.get("billNumber")),
        phone=_text(customer.get("mobileNumber")),
        payer=_text(customer.get("name")),
        remarks=_text(transaction.get("remarks")),
        paid_at=_when(transaction.get("date")),
        other_account=_other_account(bank.get("account")),
    )


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    part = document.get(name)
    if not isinstance(part, dict):
        raise UnreadableNotification(f"There is no {name} object.")
    return part


def _keyword(value: Any) -> str:
    """A keyword in capitals without surrounding spaces; "" if the value is not text."""
    return fold_identifier(_text(value)).upper()


def _number(value: Any, *, least: int = 1) -> str:
    """The bank's reference of a payment; "" if there is none.

    The bank writes NONE, null or ? if it has none, and its own sample has a space before it.
    ``least`` is the shortest length to accept.
    """
    text = _text(value) if type(value) is int else value
    text = fold_identifier(text) if isinstance(text, str) else ""
    if not _RECEIPT.fullmatch(text) or not any(letter.isalnum() for letter in text):
        return ""
    return "" if text.upper() in NO_NUMBER or len(text) < least else text


def _currency(transaction: dict[str, Any]) -> str:
    """The currency; KES if the bank names none, as in its published sample, since the account is in
    KES. An unknown currency is returned as it is.
    """
    named = _keyword(transaction.get("currency")) or _keyword(transaction.get("orderCurrency"))
    return "KES" if named in SHILLINGS else named


def _other_account(value: Any) -> str:
    """The account in a notification if it is known not to be the shop's; otherwise ""."""
    named = re.sub(r"[ -]", "", _text(value))
    ours = settings.EQUITY_ACCOUNT_NUMBER or _account_number(settings.EQUITY_ACCOUNT)
    if not ours or not any(letter.isdigit() for letter in named):
        return ""
    return "" if named.lstrip("0") == ours.lstrip("0") else named[:40]


def _account_number(typed: str) -> str:
    """The full account number at the start of what buyers type; "" if it is a short alias."""
    begins = _ACCOUNT.match(typed)
    return begins[0] if begins else ""


def _amount(value: Any) -> int:
    if isinstance(value, str) and _AMOUNT.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UnreadableNotification("amount is missing or is not a number.")
    if not 1 <= value <= MAX_KES or value != int(value):
        raise UnreadableNotification("amount is not a whole number of shillings, 1 or more.")
    return int(value)


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**40 else ""
    text = value[:100] if isinstance(value, str) else ""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _when(value: Any) -> datetime | None:
    """Parse a time; without a time zone it is in Nairobi time."""
    try:
        paid_at = datetime.fromisoformat(value)
        # Other years are garbled dates, which a database may not be able to store.
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
    """Also None if the bank cannot notify us, since payments would go unnoticed."""
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
