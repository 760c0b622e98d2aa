"""Notifications of a bank about payments into the shop's account."""

from __future__ import annotations

import logging

from payments.banks import BankDirection, BankNotification, UnreadableNotification, find_bank
from payments.models import EventState, GatewayEvent, ReceiptSource
from payments.reconciliation.receipts import IncomingPayment, find_receipt, record_receipt

logger = logging.getLogger(__name__)


def handle(event: GatewayEvent) -> None:
    """Process a notification of the bank that the event's source names.

    Failed payments and outgoing money change nothing. A notification that does not clearly say that
    KES arrived in our account waits for staff, and so does one that takes a credited payment back.
    """
    bank = find_bank(event.source)
    if bank is None:
        event.set_state(EventState.FAILED, f"No bank {event.source} is registered.")
        return
    try:
        notification = bank.read(bytes(event.body))
    except UnreadableNotification as error:
        event.set_state(EventState.UNREADABLE, str(error))
        return
    if not notification.succeeded:
        event.set_state(EventState.APPLIED, f"The payment failed: {notification.remarks}")
        return
    if notification.direction == BankDirection.OUT:
        _note_money_out(event, bank.key, notification)
        return
    if doubt := _doubt_money_in(notification):
        logger.error("event %s: %s", event.pk, doubt)
        event.set_state(EventState.FAILED, doubt)
        return
    event.receipt, note = record_receipt(
        IncomingPayment(
            provider=bank.key,
            number=notification.number,
            amount=notification.amount,
            source=ReceiptSource.BANK,
            reference=notification.reference,
            phone=notification.phone,
            payer=notification.payer,
            paid_at=notification.paid_at,
        )
    )
    event.payment = event.receipt.payment
    event.set_state(EventState.APPLIED, note)


def _doubt_money_in(notification: BankNotification) -> str:
    """Why it does not prove that KES arrived in our account; "" if it does."""
    if not notification.is_money_in:
        return "The bank does not say that money was received."
    if notification.other_account:
        return f"This is about account {notification.other_account}, which is not ours."
    if notification.currency != "KES":
        return f"This is {notification.currency or 'no currency'}, not KES."
    return ""


def _note_money_out(event: GatewayEvent, provider: str, notification: BankNotification) -> None:
    """Note that money went out; if it had been credited when it came in, staff have to look."""
    event.receipt = find_receipt(notification.number, provider)
    if event.receipt is None:
        event.set_state(EventState.APPLIED, "Money went out. Nothing was credited.")
        return
    logger.error("event %s takes back receipt %s", event.pk, notification.number)
    event.set_state(
        EventState.FAILED, f"The bank took {notification.number} back, which is recorded as paid."
    )
