"""Payments into the shop's account at Equity Bank, as its instant payment notification tells them.

Source: developer.jengahq.io, "Instant Payment Notifications".
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from omachemainproj.dates import NAIROBI
from omachemainproj.strict_json import NotStrictJson, read_json
from payments.models import EventState, GatewayEvent, Provider, ReceiptSource
from payments.reconciliation.receipts import IncomingPayment, record_receipt

logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024
MOST_KES = 999_999_999

_RECEIPT = re.compile(r"[!-~]{1,40}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


class UnreadableNotification(ValueError):
    """The body is not a notification that can be believed. Its text is a plain sentence."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A payment into an account at Equity Bank, by whatever way it came there.

    ``amount`` is whole KES; ``number`` the bank's own reference; ``reference`` what the payer
    typed; ``phone`` and ``payer`` are as the bank shows them; ``paid_at`` is aware, or None.
    """

    number: str
    amount: int
    currency: str
    succeeded: bool
    reference: str
    phone: str
    payer: str
    remarks: str
    paid_at: datetime | None


def read_notification(body: bytes | memoryview) -> Notification:
    """Read the body of a notification, up to 64 kB.

    Strict about what money hangs on (the bank's reference, status, amount, currency), lenient
    about what is only shown. Raises UnreadableNotification, and nothing else, for any bytes.
    """
    try:
        document = read_json(body, at_most=MAX_BYTES)
    except NotStrictJson as error:
        raise UnreadableNotification(str(error)) from error
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
    return Notification(
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


def is_the_bank(authorization: str) -> bool:
    """Whether an ``Authorization`` header carries the name and password we gave the bank."""
    scheme, _, encoded = authorization.partition(" ")
    ours = f"{settings.EQUITY_IPN_USERNAME}:{settings.EQUITY_IPN_PASSWORD}".encode()
    if not settings.EQUITY_IPN_PASSWORD or scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, ours)


def handle(event: GatewayEvent) -> None:
    """Act on a notification. One that failed moved no money: it is kept and changes nothing."""
    try:
        told = read_notification(bytes(event.body))
    except UnreadableNotification as error:
        event.set_state(EventState.UNREADABLE, str(error))
        return
    if not told.succeeded:
        event.set_state(EventState.APPLIED, f"The payment failed: {told.remarks}")
        return
    if told.currency != "KES":
        logger.error("message %s tells of money in %s", event.pk, told.currency)
        event.set_state(EventState.FAILED, f"This is {told.currency or 'no currency'}, not KES.")
        return
    event.receipt, note = record_receipt(
        IncomingPayment(
            provider=Provider.EQUITY,
            number=told.number,
            amount=told.amount,
            door=ReceiptSource.BANK,
            reference=told.reference,
            phone=told.phone,
            payer=told.payer,
            paid_at=told.paid_at,
        )
    )
    event.payment = event.receipt.payment
    event.set_state(EventState.APPLIED, note)


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
        told = datetime.fromisoformat(value)
        return told if told.tzinfo else told.replace(tzinfo=NAIROBI)
    except (TypeError, ValueError, OverflowError):
        return None
