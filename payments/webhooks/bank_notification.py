"""Payments into the shop's account at a bank, as the bank notifies us of them."""

from __future__ import annotations

import logging

from payments.banks import UnreadableNotification, find_bank
from payments.models import EventState, GatewayEvent, ReceiptSource
from payments.reconciliation.receipts import IncomingPayment, record_receipt

logger = logging.getLogger(__name__)


def handle(event: GatewayEvent) -> None:
    """Act on a notification of the bank that the event's source names.

    One of a payment that failed moved no money: it changes nothing. One in another currency waits
    for a person.
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
    if notification.currency != "KES":
        logger.error("event %s is of money in %s", event.pk, notification.currency)
        currency = notification.currency or "no currency"
        event.set_state(EventState.FAILED, f"This is {currency}, not KES.")
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
