"""Payments into the shop's account at a bank, as the bank notifies us of them."""

from __future__ import annotations

import logging

from payments.banks import BankDirection, BankNotification, UnreadableNotification, find_bank
from payments.evidence import put_in_doubt
from payments.models import EventState, GatewayEvent, ReceiptEvidence, ReceiptSource
from payments.reconciliation.receipts import IncomingPayment, find_receipt, record_receipt

logger = logging.getLogger(__name__)


def handle(event: GatewayEvent) -> None:
    """Act on a notification of the bank that the event's source names.

    One of a payment that failed moved no money, one of money that went out is none of ours to
    credit: they change nothing. One that does not say that money came in, to our account and in
    KES, waits for a person, and so does one that takes back what was credited. Messages may come in
    any order: what was taken back before it was told of is credited, and in doubt.
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
    is_told_first = not _was_told_of(bank.key, notification.number)
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
    if is_told_first and _went_out_before(bank.key, notification.number):
        doubt = f"The bank told that {notification.number} went out before it told that it came."
        put_in_doubt(event.receipt.pk, doubt)
        event.set_state(EventState.FAILED, f"{doubt} Ask the bank: its payment is in doubt.")
        return
    event.set_state(EventState.APPLIED, note)


def _doubt_money_in(notification: BankNotification) -> str:
    """Why it does not prove that shillings came to our account; empty when it does."""
    if not notification.is_money_in:
        return "The bank does not say that money came in."
    if notification.other_account:
        return f"This is about account {notification.other_account}, which is not ours."
    if notification.currency != "KES":
        return f"This is {notification.currency or 'no currency'}, not KES."
    return ""


def _note_money_out(event: GatewayEvent, provider: str, notification: BankNotification) -> None:
    """Note that money went out; where it was credited when it came, a person has to look."""
    event.receipt = find_receipt(notification.number, provider)
    if event.receipt is None:
        event.set_state(EventState.APPLIED, _out_note(notification.number))
        return
    logger.error("event %s takes back receipt %s", event.pk, notification.number)
    event.set_state(
        EventState.FAILED, f"The bank took {notification.number} back, which is counted as paid."
    )


def _out_note(number: str) -> str:
    """The note of money that went out under a number nothing was credited under."""
    under = f" under {number}" if number else ""
    return f"Money went out{under}. Nothing was credited."


def _was_told_of(provider: str, number: str) -> bool:
    """Whether the bank told before that this payment came."""
    told = ReceiptEvidence.objects.filter(source=ReceiptSource.BANK)
    return told.filter(receipt__provider=provider, receipt__number=number).exists()


def _went_out_before(source: str, number: str) -> bool:
    """Whether the bank told of money that went out under this number as nothing was credited."""
    return GatewayEvent.objects.filter(source=source, note=_out_note(number)).exists()
