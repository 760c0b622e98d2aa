"""Recording a payment that a source reports: a C2B confirmation, a statement, a bank or staff."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from omachemainproj.locking import lock_row
from omachemainproj.phones import PhoneMatch, clearer_phone, match_phone
from orders.lookup import find_by_typed_reference
from orders.models import Order
from payments import evidence
from payments.evidence import SourceReport, lock_receipt
from payments.models import (
    AMOUNT_REPORTING_SOURCES,
    AUTHORITATIVE_SOURCES,
    Provider,
    Receipt,
    ReceiptSource,
)
from payments.payment_matching import criteria_of_report, matching_receipts, only_matching_attempt
from payments.refunds.services import refund_excess

from .receipts import (
    correct_amount,
    create_receipt,
    fill_in_details,
    find_receipt,
    find_without_number,
    put_in_doubt_for_its_order,
    record_manual_payment,
)
from .suspense import AlreadyMatched, apply_to_order, check_may_be_matched, hold

logger = logging.getLogger(__name__)

#: Fields that a later report may fill in.
FILLED_IN = ("phone", "phone_by", "payer", "reference", "paid_at")


@dataclass(frozen=True, slots=True)
class IncomingPayment:
    """A payment as a source reports it: an amount in KES under a provider's receipt number.

    ``provider`` is M-Pesa's key or a bank's, ``source`` a ``ReceiptSource``; ``reference`` is what
    the payer typed, ``phone`` what the provider shows of their number, ``paid_at`` is aware.
    """

    provider: str
    number: str
    amount: int
    source: str
    reference: str = ""
    phone: str = ""
    payer: str = ""
    paid_at: datetime | None = None
    #: Our short code that was paid, and the id of the staff member who reports it.
    shortcode: str = ""
    by: int | None = None

    @property
    def report(self) -> SourceReport:
        """The details that may confirm a receipt."""
        return SourceReport(self.source, self.amount, self.number, self.shortcode, self.by)


@transaction.atomic
def record_receipt(incoming: IncomingPayment) -> tuple[Receipt, str]:
    """Record a payment reported by a source other than the callback or status query of an STK push.

    Finds its order by the typed reference, pays the order if the money covers it, and
    refunds any excess. Without an order, it may be the missing receipt of the only prompt that
    matches in amount, time and phone; otherwise the money is put in suspense for staff. Money in
    suspense is matched to an order as soon as a source reports that order's reference. Safe to
    repeat, from any source, in any order.

    Returns the receipt and a note of what was done.
    """
    known = find_receipt(incoming.number, incoming.provider)
    known_order_id = None if known is None else known.order_id
    order_id = known_order_id or find_by_typed_reference(incoming.reference)
    is_named = order_id is not None
    if known is None and order_id is None:
        order_id = _order_paid_by_prompt(incoming)
    order = lock_row(Order, order_id) if order_id else None
    # Another source may have recorded it while we waited for the order's lock.
    known = _lock_known(incoming)
    if known is not None:
        another = _other_order(known, incoming)
        note = _merge(known, incoming)
        if another is not None:
            note = put_in_doubt_for_its_order(known, another.reference)
        elif known.order_id is None and order is not None and is_named:
            return _apply_named(known, order, note)
        return known, note
    if order is None:
        return _hold_in_suspense(incoming)
    unnamed = find_without_number(order, Receipt(**_reported(incoming)))
    if unnamed is None and not is_named:
        # Another source supplied the missing number while we waited for the order's lock.
        return _hold_in_suspense(incoming)
    if unnamed is not None:
        unnamed.number, unnamed.source = incoming.number, incoming.source
        _fill_in(unnamed, incoming)
        unnamed.save(update_fields=["number", "source", *FILLED_IN])
        evidence.record(unnamed, incoming.report)
        return unnamed, "Already recorded; its receipt number is known now."
    receipt = create_receipt(
        Receipt(order=order, number=incoming.number, **_reported(incoming)), incoming.report
    )
    record_manual_payment(receipt, order)
    refund_excess(order.pk)
    return receipt, "The payment is credited."


def _other_order(known: Receipt, incoming: IncomingPayment) -> Order | None:
    """The order a provider names for a payment that staff recorded for, or matched to, another.

    None if it names none, or the one it is recorded for, or what it named before.
    """
    is_news = incoming.source in AMOUNT_REPORTING_SOURCES and incoming.reference != known.reference
    if known.order_id is None or not is_news:
        return None
    named = find_by_typed_reference(incoming.reference)
    if named in {None, known.order_id}:
        return None
    by_staff = known.evidence.filter(source=ReceiptSource.STAFF).exists()
    is_typed = by_staff or find_by_typed_reference(known.reference) != known.order_id
    return Order.objects.get(pk=named) if is_typed else None


def may_name_its_order(receipt: Receipt, reference: str) -> bool:
    """Whether a report with this reference may assign money in suspense to an order, or may name
    another order than staff did."""
    if not reference.strip():
        return False
    is_of_prompt = receipt.source == ReceiptSource.CALLBACK
    return receipt.order_id is None or not (is_of_prompt or reference == receipt.reference)


def _apply_named(receipt: Receipt, order: Order, note: str) -> tuple[Receipt, str]:
    """Apply money in suspense to the order whose reference a later report gives.

    Money that cannot be an order's, or is being refunded, stays in suspense. Returns the receipt
    that holds the money now, and a note.
    """
    try:
        check_may_be_matched(receipt)
        applied = apply_to_order(receipt, order, note="", by_reference=True)
    except AlreadyMatched as error:
        logger.warning("receipt %s: %s", receipt.number, error)
        return receipt, note
    return applied, "Already recorded; now matched to this order."


def _hold_in_suspense(incoming: IncomingPayment) -> tuple[Receipt, str]:
    typed = incoming.reference[:40]
    note = f"No order has the reference “{typed}”." if typed else "No reference was typed."
    try:
        with transaction.atomic():
            receipt = hold(
                Receipt(number=incoming.number, note=note, **_reported(incoming)), incoming.report
            )
    except IntegrityError:
        # Another source reported it at the same moment.
        known = _lock_known(incoming)
        if known is None:
            raise
        return known, _merge(known, incoming)
    # Not an error: payers often type no valid reference. The console's queue shows it.
    logger.info("receipt %s: %s In suspense.", incoming.number, note)
    return receipt, note


def _lock_known(incoming: IncomingPayment) -> Receipt | None:
    """Lock the receipt with the reported number, after its order, and return its current state."""
    while (known := find_receipt(incoming.number, incoming.provider)) is not None:
        receipt = lock_receipt(known.pk)
        if receipt.number == incoming.number:
            return receipt
        # It was merged into another receipt, which now has the number.
    return None


def _merge(known: Receipt, incoming: IncomingPayment) -> str:
    """Add the details of another report to a recorded receipt, which is locked."""
    _fill_in(known, incoming)
    known.save(update_fields=FILLED_IN)
    is_new = evidence.record(known, incoming.report)
    # What was posted to us may be delivered again; M-Pesa's answers are of now.
    if incoming.amount != known.amount and (is_new or incoming.source in AUTHORITATIVE_SOURCES):
        return correct_amount(known, reported_amount=incoming.amount, source=incoming.source)
    return "Already recorded."


def _fill_in(receipt: Receipt, incoming: IncomingPayment) -> None:
    """Add the details a receipt does not have yet."""
    fill_in_details(receipt, Receipt(**_reported(incoming)))
    shown = clearer_phone("", incoming.phone[:64])
    is_typed = incoming.source == ReceiptSource.STAFF
    if receipt.phone_by_id is not None and shown and not is_typed:
        # A number typed by staff is kept only if the provider's agrees with it.
        agrees = match_phone(shown, receipt.phone) == PhoneMatch.AGREES
        receipt.phone, receipt.phone_by_id = (receipt.phone if agrees else shown), None
    elif not is_typed:
        # A confirmation masks or hashes the payer's number, the statement may not.
        receipt.phone = clearer_phone(receipt.phone, shown)
    elif not receipt.phone:
        receipt.phone, receipt.phone_by_id = shown, incoming.by


def _order_paid_by_prompt(incoming: IncomingPayment) -> int | None:
    """The order whose prompt was paid with this money, if no other match is possible."""
    if incoming.provider != Provider.MPESA:
        return None
    attempt = only_matching_attempt(
        criteria_of_report(
            amount=incoming.amount,
            phone=incoming.phone,
            source=incoming.source,
            paid_at=incoming.paid_at,
            reported_at=timezone.now(),
        )
    )
    if attempt is None or not attempt.is_confirmed or matching_receipts(attempt):
        return None
    return attempt.order_id


def _reported(incoming: IncomingPayment) -> dict[str, object]:
    """The reported details as fields of a receipt."""
    return {
        "provider": incoming.provider,
        "amount": incoming.amount,
        "source": incoming.source,
        "phone": clearer_phone("", incoming.phone[:64]),
        "phone_by_id": incoming.by if incoming.phone else None,
        "payer": incoming.payer[:100],
        "reference": incoming.reference[:40],
        "paid_at": incoming.paid_at,
    }
