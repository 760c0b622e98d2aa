"""Notifications of a bank about payments into the shop's account."""

from __future__ import annotations

import logging

from payments.banks import Bank, BankDirection, BankNotification, UnreadableNotification
from payments.doubt import put_in_doubt
from payments.models import EventState, GatewayEvent, ReceiptEvidence, ReceiptSource
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.receipts import find_receipt

logger = logging.getLogger(__name__)


def handle(event: GatewayEvent, bank: Bank) -> None:
    """Process a notification of a bank.

    Failed payments and outgoing money change nothing. A notification that does not clearly say that
    KES arrived in our account waits for staff, and so does one that reverses a credited payment.
    Messages may come in any order: a payment whose reversal was reported first is credited and put
    in doubt.
    """
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
    if reason := _credit_error(notification):
        logger.error("event %s: %s", event.pk, reason)
        event.set_state(EventState.FAILED, reason)
        return
    is_first_report = not _was_reported(bank.key, notification.number)
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
    if is_first_report and _was_debit_reported(bank.key, notification.number):
        doubt = f"The bank reported that {notification.number} went out before it came in."
        put_in_doubt(event.receipt.pk, doubt)
        event.set_state(EventState.FAILED, f"{doubt} The payment is in doubt: ask the bank.")
        return
    event.set_state(EventState.APPLIED, note)


def _credit_error(notification: BankNotification) -> str:
    """Why the notification does not prove that KES arrived in our account; "" if it does."""
    if not notification.is_money_in:
        return "The bank does not say that money was received."
    if notification.other_account:
        return f"This is about account {notification.other_account}, which is not ours."
    if notification.currency != "KES":
        return f"This is {notification.currency or 'no currency'}, not KES."
    return ""


def _note_money_out(event: GatewayEvent, provider: str, notification: BankNotification) -> None:
    """Note that money went out. If it had been credited as a payment, that is in doubt, and staff
    have to decide; not if they have seen the payment since."""
    event.receipt = find_receipt(notification.number, provider)
    if event.receipt is None:
        event.set_state(EventState.APPLIED, _debit_note(notification.number))
        return
    logger.error("event %s takes back receipt %s", event.pk, notification.number)
    doubt = f"The bank reversed {notification.number}, which is recorded as paid."
    put_in_doubt(event.receipt.pk, doubt, heard_at=event.receipt.events.first_received(event))
    event.set_state(EventState.FAILED, doubt)


def _debit_note(number: str) -> str:
    """The note for outgoing money under whose number nothing was credited."""
    under = f" under {number}" if number else ""
    return f"Money went out{under}. Nothing was credited."


def _was_reported(provider: str, number: str) -> bool:
    """Whether the bank has reported the arrival of this payment before."""
    reports = ReceiptEvidence.objects.filter(source=ReceiptSource.BANK)
    return reports.filter(receipt__provider=provider, receipt__number=number).exists()


def _was_debit_reported(source: str, number: str) -> bool:
    """Whether the bank has reported outgoing money with this number, when nothing was credited."""
    return GatewayEvent.objects.filter(source=source, note=_debit_note(number)).exists()
