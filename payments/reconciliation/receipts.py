"""Receipts: each payment that arrived is recorded once, whichever source reports it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.contacts import record_paid_from
from omachemainproj.compiled_queries import compiled, locked_row
from omachemainproj.money import format_kes
from omachemainproj.phones import PhoneMatch, clearer_phone, match_phone
from orders.lookup import find_by_typed_reference
from orders.models import Order
from payments import evidence, ledger
from payments.evidence import SourceReport, lock_receipt
from payments.models import (
    AttemptStatus,
    Channel,
    OrderPayment,
    Provider,
    Receipt,
    ReceiptSource,
)
from payments.models.same_payments import (
    may_be_paid_with,
    movement,
    movements_behind,
    sure_attempt,
)
from payments.refunds.services import refund_excess

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
        """The part of it that may confirm a receipt."""
        return SourceReport(self.source, self.amount, self.number, self.shortcode, self.by)


@transaction.atomic
def record_receipt(incoming: IncomingPayment) -> tuple[Receipt, str]:
    """Record a payment reported by a source other than the callback or status query of an STK push.

    Finds its order by the reference that was typed, pays the order if the money covers it, and
    refunds any excess. Without an order, it may be the missing receipt of the one prompt that
    matches in amount, time and phone; else the money is put in suspense for staff. Safe to repeat,
    from any source, in any order.

    Returns the receipt and a note of what was done.
    """
    known = find_receipt(incoming.number, incoming.provider)
    order_id = known.order_id if known else find_by_typed_reference(incoming.reference)
    is_named = order_id is not None
    if known is None and order_id is None:
        order_id = _order_paid_by_prompt(incoming)
    order = locked_row(Order, order_id) if order_id else None
    # Another source may have recorded it while we waited for the order's lock.
    known = _lock_known(incoming)
    if known is not None:
        return known, _merge(known, incoming)
    if order is None:
        return _hold_in_suspense(incoming)
    unnamed = find_without_number(order, Receipt(**_reported(incoming)))
    if unnamed is None and not is_named:
        # The missing number came from elsewhere while we waited for the order's lock.
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


def correct_amount(receipt: Receipt, *, reported_amount: int) -> str:
    """Correct a receipt to the amount the provider reports, in KES. Returns a note.

    An excess is credited to its order, after the receipt's write-offs; a shortfall is written off,
    and staff have to acknowledge it. Call inside a transaction that holds the order's lock.
    """
    recorded, reported = format_kes(receipt.amount), format_kes(reported_amount)
    note = f"Recorded as {recorded}, but M-Pesa reports {reported}."
    logger.error("receipt %s: %s", receipt.number, note)
    ledger.post_correction(receipt, reported_amount=reported_amount)
    if receipt.order_id is not None:
        receipt.written_off = max(receipt.written_off + receipt.amount - reported_amount, 0)
    receipt.amount, receipt.note, receipt.unacknowledged = reported_amount, note, True
    receipt.save(update_fields=["amount", "written_off", "note", "unacknowledged"])
    # Earlier reports were of another amount.
    receipt.verification = evidence.reassess(receipt.pk).verification
    return note


def find_receipt(number: str, provider: str = Provider.MPESA) -> Receipt | None:
    """The receipt with this number, if it is recorded. Never looks for an empty number."""
    return next(iter(_receipts_with(provider, number)), None) if number else None


@compiled
def _receipts_with(provider: str, number: str) -> QuerySet[Receipt]:
    return Receipt.objects.numbered(provider, number).select_related("payment")


def _hold_in_suspense(incoming: IncomingPayment) -> tuple[Receipt, str]:
    typed = incoming.reference[:40]
    note = f"No order has the reference “{typed}”." if typed else "No reference was typed."
    try:
        with transaction.atomic():
            receipt = create_receipt(
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
    """Lock and return the receipt with the reported number, after its order, as it is now."""
    while (known := find_receipt(incoming.number, incoming.provider)) is not None:
        receipt = lock_receipt(known.pk)
        if receipt.number == incoming.number:
            return receipt
        # It was merged into another receipt, which has the number now.
    return None


def _merge(known: Receipt, incoming: IncomingPayment) -> str:
    """Add the details of another report to a recorded receipt, which is locked."""
    _fill_in(known, incoming)
    known.save(update_fields=FILLED_IN)
    evidence.record(known, incoming.report)
    if incoming.amount != known.amount:
        note = correct_amount(known, reported_amount=incoming.amount)
        if known.order_id is not None:
            refund_excess(known.order_id)
        return note
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


def fill_in_details(receipt: Receipt, other: Receipt) -> None:
    """Copy payer, reference and time from another receipt where this one lacks them."""
    for name in ("payer", "reference", "paid_at"):
        setattr(receipt, name, getattr(receipt, name) or getattr(other, name))


def _order_paid_by_prompt(incoming: IncomingPayment) -> int | None:
    """The order whose prompt was paid with this money, if it cannot be anything else."""
    if incoming.provider != Provider.MPESA:
        return None
    attempt = sure_attempt(
        movement(
            amount=incoming.amount,
            phone=incoming.phone,
            source=incoming.source,
            paid_at=incoming.paid_at,
            reported_at=timezone.now(),
        )
    )
    if attempt is None or not attempt.is_confirmed or movements_behind(attempt):
        return None
    return attempt.order_id


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
