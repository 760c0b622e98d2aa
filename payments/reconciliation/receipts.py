"""Receipts: each payment that arrived is recorded once, whichever source reports it."""

from __future__ import annotations

import logging
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone

from accounts.contacts import record_paid_from
from omachemainproj.compiled_queries import compiled
from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from omachemainproj.phones import PhoneMatch, match_phone
from orders.lifecycle import mark_order_paid
from orders.models import Order
from payments import evidence, ledger
from payments.doubt import put_in_doubt
from payments.evidence import SourceReport
from payments.models import (
    AMOUNT_REPORTING_SOURCES,
    AUTHORITATIVE_SOURCES,
    AttemptStatus,
    Channel,
    OrderPayment,
    Provider,
    Receipt,
    Verification,
    amount_credited,
)
from payments.payment_matching import may_be_paid_with
from payments.refunds.corrections import (
    drop_refunds_to_cover,
    missing_of_order,
    missing_of_suspense,
    recreate_refunds,
)
from payments.refunds.services import refund_excess_locked

logger = logging.getLogger(__name__)


def create_receipt(receipt: Receipt, report: SourceReport) -> Receipt:
    """Save and post a new receipt and its first report: to its order, or to suspense without one.

    Call inside a transaction that holds the order's lock.
    """
    order = receipt.order
    receipt.waiting = order is not None and receipt.amount < order.amount
    receipt.save()
    ledger.post_receipt(receipt)
    evidence.record_first(receipt, report)
    return receipt


def record_manual_payment(receipt: Receipt, order: Order) -> None:
    """Record a manual payment as a confirmed OrderPayment.

    Saving it pays the order, if the money credited covers it.
    """
    by_hand = OrderPayment(
        order=order,
        channel=Channel.PAY_BILL if receipt.provider == Provider.MPESA else Channel.BANK,
        amount=receipt.amount,
        status=AttemptStatus.CONFIRMED,
        live=False,
        result_code="0",
        confirmed_at=timezone.now(),
    )
    if _is_of_phone(receipt, order.mpesa_number):
        record_paid_from(order.buyer_id, order.mpesa_number, timezone.now())
    by_hand.save()
    receipt.payment = by_hand
    receipt.save(update_fields=["payment"])


def _is_of_phone(receipt: Receipt, phone: str) -> bool:
    """Whether M-Pesa shows exactly this phone as the payer's, in full or hashed, not masked."""
    is_whole = receipt.provider == Provider.MPESA and "*" not in receipt.phone
    return is_whole and match_phone(receipt.phone, phone) == PhoneMatch.AGREES


def correct_amount(receipt: Receipt, *, reported_amount: int, source: str) -> str:
    """Correct a receipt to the amount the provider reports, in KES. Returns a note.

    ``source`` is the ``ReceiptSource`` of the report; only a provider's own report changes the
    amount, and what was posted to us does not change one that M-Pesa's answer shows. An excess
    first reverses the receipt's write-offs; the rest is credited to its order, which is paid if it
    is covered then, and what is too much is refunded. Of a shortfall, refunds that were not sent
    are dropped, and the rest is written off if it paid for an order or was sent on. Staff have to
    acknowledge both. A payment that was written off as never arrived is left as it is: staff decide
    whether it came. Call inside a transaction that holds the order's lock.
    """
    recorded, reported = format_kes(receipt.amount), format_kes(reported_amount)
    if source not in AMOUNT_REPORTING_SOURCES:
        return f"{recorded} is recorded: only M-Pesa or a bank reports what arrived."
    if receipt.verification == Verification.NEVER_CAME:
        return f"{recorded} was written off because it never arrived; {reported} is reported now."
    if source not in AUTHORITATIVE_SOURCES and evidence.is_amount_on_gateway(receipt):
        return _show(
            receipt,
            f"{reported} was posted to us; M-Pesa's own statement or answer shows {recorded}.",
        )
    note = f"Recorded as {recorded}, but M-Pesa reports {reported}."
    logger.error("receipt %s: %s", receipt.number, note)
    order = None if receipt.order_id is None else lock_row(Order, receipt.order_id)
    shortfall = receipt.amount - reported_amount
    if order is None:
        missing = missing_of_suspense(receipt, corrected_amount=reported_amount)
    else:
        missing = missing_of_order(order, shortfall=shortfall) if shortfall > 0 else 0
    missing, dropped = drop_refunds_to_cover(
        receipt, order, missing=missing, corrected_amount=reported_amount
    )
    lost = 0 if order is None else missing
    if shortfall < 0:
        lost = -min(receipt.written_off, -shortfall)
    ledger.post_correction(receipt, reported_amount=reported_amount, lost=abs(lost))
    receipt.written_off += lost
    receipt.amount, receipt.note, receipt.unacknowledged = reported_amount, note, True
    receipt.save(update_fields=["amount", "written_off", "note", "unacknowledged"])
    # Earlier reports were of another amount.
    receipt.verification = evidence.reassess(receipt.pk).verification
    if receipt.order_id is not None:
        mark_order_paid(receipt.order_id, credited=partial(amount_credited, receipt.order_id))
        order = lock_row(Order, receipt.order_id)
    recreate_refunds(receipt, order, dropped)
    if order is not None:
        refund_excess_locked(order)
    return note


def show_other_amount(receipt: Receipt, *, reported_amount: int) -> str:
    """Show staff that a prompt's callback reports another amount, in KES, than an earlier one of
    the same payment did. It changes nothing: a prompt is paid once. Returns a note."""
    recorded, reported = format_kes(receipt.amount), format_kes(reported_amount)
    return _show(
        receipt, f"{recorded} is recorded; another callback of the prompt says {reported}."
    )


def _show(receipt: Receipt, note: str) -> str:
    """Have staff look at a receipt; returns the note."""
    receipt.note, receipt.unacknowledged = note, True
    receipt.save(update_fields=["note", "unacknowledged"])
    logger.error("receipt %s: %s", receipt.number, note)
    return note


def put_in_doubt_for_its_order(receipt: Receipt, reference: str) -> str:
    """Put a payment in doubt that is recorded for one order, while its provider names another, with
    this reference. Returns a note.

    Whoever typed its number may have typed another buyer's. Staff decide: M-Pesa's answer that it
    arrived does not. Not if it was written off. Call inside a transaction that holds the locks of
    its order and of the receipt.
    """
    note = _doubt_of_order(receipt, reference)
    if receipt.verification == Verification.NEVER_CAME:
        return note
    receipt.reference, receipt.note, receipt.unacknowledged = reference[:40], note, True
    receipt.save(update_fields=["reference", "note", "unacknowledged"])
    put_in_doubt(receipt.pk, note)
    receipt.verification = Verification.DOUBTED
    return note


def is_in_doubt_for_its_order(receipt: Receipt) -> bool:
    """Whether a payment is in doubt only because its provider names another order than the one it
    is recorded for, and not because it may never have arrived."""
    return receipt.is_in_doubt and receipt.doubt == _doubt_of_order(receipt, receipt.reference)


def _doubt_of_order(receipt: Receipt, reference: str) -> str:
    recorded = "none" if receipt.order is None else receipt.order.reference
    return f"It is recorded for order {recorded}, but its provider names order {reference}."[:200]


def find_receipt(number: str, provider: str = Provider.MPESA) -> Receipt | None:
    """The receipt with this number, if it is recorded. Never looks for an empty number."""
    return next(iter(_receipts_with(provider, number)), None) if number else None


@compiled
def _receipts_with(provider: str, number: str) -> QuerySet[Receipt]:
    return Receipt.objects.numbered(provider, number).select_related("payment")


def fill_in_details(receipt: Receipt, other: Receipt) -> None:
    """Copy payer, reference and time from another receipt where this one lacks them."""
    for name in ("payer", "reference", "paid_at"):
        setattr(receipt, name, getattr(receipt, name) or getattr(other, name))


def find_without_number(order: Order, movement: Receipt) -> Receipt | None:
    """The order's receipt without a number that may be this money.

    Proved by a status query, of the same amount, and not certainly from another phone than
    prompted.
    """
    if movement.provider != Provider.MPESA:
        return None
    unnamed = Receipt.objects.without_number().filter(order=order, provider=movement.provider)
    unnamed = unnamed.filter(amount=movement.amount).select_related("payment").order_by("pk")
    return next((each for each in unnamed if may_be_paid_with(each.payment, movement)), None)
