"""Money the shop does not have: reversed by M-Pesa itself, or never received.

Locks: the order first, then the receipt, then its refunds.
"""

from __future__ import annotations

import logging
from functools import partial

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from orders.lifecycle import mark_order_paid, mark_order_refunded
from orders.models import Order
from payments import ledger
from payments.doubt import end_doubt
from payments.evidence import lock_receipt, reassess, request_confirmation, update_order_doubt
from payments.models import (
    Provider,
    Receipt,
    Refund,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Unnumbered,
    Verification,
    amount_credited,
    order_balance,
)
from payments.models.refunds import PART_REVERSED, UNSENT
from payments.transfers import is_known_number, mark_done

from .corrections import (
    drop_refunds_to_cover,
    missing_of_order,
    missing_of_suspense,
    owe_anew,
)
from .services import mark_refunded_if_none_outstanding, refund_excess_locked

logger = logging.getLogger(__name__)

BY_MPESA = "M-Pesa reversed the payment itself."
ANOTHER_PAYS = "Another payment of the order is gone, and this one pays for its goods."
NEVER_CAME = "It never came."
CAME_AFTER_ALL = "It came after all."


@transaction.atomic
def record_outside_reversal(receipt_id: int, *, number: str = "") -> str:
    """Record that M-Pesa reversed a whole payment without the shop's request. Safe to repeat.

    ``number`` is the reversal's own receipt, "" if it is not known. It settles refunds of the
    payment that were not sent. What a paid order's remaining lines lack after that is written off,
    until they are cancelled. If the shop had requested a reversal, this is that one.

    Returns a note. Raises CannotBeReversed for a payment that is not M-Pesa's, or a number that is
    recorded already.
    """
    order_id = Receipt.objects.values_list("order_id", flat=True).get(pk=receipt_id)
    order = lock_row(Order, order_id) if order_id is not None else None
    receipt = lock_row(Receipt, receipt_id)
    if receipt.order_id != order_id or receipt.provider != Provider.MPESA or not receipt.amount:
        raise CannotBeReversed("Only a payment received by M-Pesa can be reversed by M-Pesa.")
    _check_number(receipt, number)
    known = receipt.refunds.taken_back().order_by("pk").first()
    if known is not None:
        return _name(known, number)
    if receipt.verification == Verification.NEVER_CAME:
        raise CannotBeReversed("It was written off because it never arrived.")
    Refund.objects.lock_all_of(receipt)
    requested = receipt.refunds.filter(way=RefundMethod.REVERSAL).exclude(
        status__in=(*UNSENT, TransferStatus.DROPPED)
    )
    if (ours := requested.order_by("-pk").first()) is not None:
        return mark_done(ours, number=number, text="M-Pesa reported its reversal.")
    _take_back(receipt, order, RefundReason.OUTSIDE, number=number, text=BY_MPESA)
    receipt.unacknowledged = True
    under = f" under {number}" if number else ""
    lost = format_kes(_lost(receipt))
    receipt.note = f"M-Pesa reversed it{under} at its customer's request: {lost} lost."
    if order is not None and order.is_paid and receipt.written_off:
        receipt.note += " Stop anything that has not been delivered."
    receipt.save(update_fields=["unacknowledged", "note"])
    logger.error("receipt %s: %s", receipt.number, receipt.note)
    return receipt.note


@transaction.atomic
def record_part_reversal(receipt_id: int, *, number: str, amount: int) -> str:
    """Record that M-Pesa reversed ``amount`` KES of a payment without the shop's request, under
    ``number``. Safe to repeat.

    Unsent refunds are dropped as far as it covers them; what a paid order's remaining lines lack
    after that is written off, until they are cancelled. What is left of the payment stays what it
    was. Returns a note. Raises CannotBeReversed if more would be taken back than arrived, or for a
    number that is recorded already.
    """
    receipt = lock_receipt(receipt_id)
    if receipt.refunds.filter(number=number, way=RefundMethod.OUTSIDE).exists():
        return "Already recorded."
    Refund.objects.lock_all_of(receipt)
    outside = receipt.refunds.owed().filter(way__in=(RefundMethod.OUTSIDE, RefundMethod.REVERSAL))
    outside = outside.exclude(status__in=UNSENT)
    taken = outside.aggregate(total=Sum("amount"))["total"] or 0
    if receipt.provider != Provider.MPESA or taken + amount > receipt.amount:
        raise CannotBeReversed(f"Only {format_kes(receipt.amount)} arrived as {receipt.number}.")
    _check_number(receipt, number)
    order = None if receipt.order_id is None else Order.objects.get(pk=receipt.order_id)
    left = receipt.amount - taken - amount
    if order is None:
        missing = missing_of_suspense(receipt, comes_to=receipt.amount - amount)
    else:
        missing = missing_of_order(order, less=amount)
    _, dropped = drop_refunds_to_cover(
        receipt, order, missing=missing, comes_to=left, why=ANOTHER_PAYS
    )
    _give_back(receipt, amount, RefundReason.OUTSIDE, number=number, text=PART_REVERSED)
    if order is not None:
        if not order.is_unpaid:
            _write_off_shortfall(receipt, order)
        owe_anew(receipt, order, dropped)
        refund_excess_locked(order)
        mark_refunded_if_none_outstanding(order)
    else:
        owe_anew(receipt, None, dropped)
    receipt.refresh_from_db()
    part = f"{format_kes(amount)} of {format_kes(receipt.amount)}"
    receipt.note = f"M-Pesa reversed {part} under {number} at its customer's request."
    if order is not None and receipt.written_off:
        receipt.note += " Stop anything that has not been delivered."
    receipt.unacknowledged = True
    receipt.save(update_fields=["note", "unacknowledged"])
    logger.error("receipt %s: %s", receipt.number, receipt.note)
    return receipt.note


@transaction.atomic
def record_refund_found(
    receipt_id: int, *, number: str, amount: int, phone: str, text: str
) -> Refund:
    """Record a refund of ``amount`` KES under ``number`` that no row shows, after a restore.

    Returns the refund it was. ``phone`` is "" if nothing shows the number it went to. A refund of
    that amount which may have been sent, or is done without a receipt number, is taken to be this
    one. Otherwise, what the order's remaining lines lack after it is written off, until they are
    cancelled.

    Raises CannotBeReversed if more would be refunded than was paid, or if the refund is waiting for
    a second person, who has to approve it first.
    """
    order_id = Receipt.objects.values_list("order_id", flat=True).get(pk=receipt_id)
    order = lock_row(Order, order_id) if order_id is not None else None
    receipt = lock_row(Receipt, receipt_id)
    _check_number(receipt, number)
    Refund.objects.lock_all_of(receipt)
    owed = receipt.refunds.owed()
    is_unnamed = Q(way=RefundMethod.B2C, number="", unnumbered=Unnumbered.NOT_TOLD)
    waiting = owed.filter(~Q(status=TransferStatus.DONE) | is_unnamed, amount=amount)
    refund = waiting.order_by("pk").first()
    if refund is not None:
        if refund.awaits_approval:
            raise CannotBeReversed(
                "Its refund is waiting for a second person. Have it approved first."
            )
        mark_done(refund, number=number, text=text)
        refund.refresh_from_db()
        return refund
    back = owed.aggregate(total=Sum("amount"))["total"] or 0
    if receipt.order_id != order_id or back + amount > receipt.amount:
        raise CannotBeReversed(f"Only {format_kes(receipt.amount)} arrived as {receipt.number}.")
    way = RefundMethod.B2C if phone else RefundMethod.PORTAL
    _give_back(receipt, amount, RefundReason.STAFF, number=number, text=text, way=way, phone=phone)
    if order is not None:
        order.refresh_from_db()
        _write_off_shortfall(receipt, order)
        refund_excess_locked(order)
    receipt.refresh_from_db()
    return Refund.objects.get(number=number)


@transaction.atomic
def write_off_never_came(receipt_id: int) -> Receipt:
    """Write off a payment in doubt that never arrived, and reverse its posting.

    Its refunds are no longer due. What a paid order's remaining lines lack after that is written
    off, until they are cancelled; the earnings of their sellers wait for a second person's
    approval.

    Raises NotInDoubt if the payment is not in doubt, or if money of it has left.
    """
    receipt = lock_receipt(receipt_id)
    if not receipt.is_in_doubt:
        raise NotInDoubt("Only a payment in doubt can be written off.")
    Refund.objects.lock_all_of(receipt)
    if receipt.refunds.exclude(status__in=(*UNSENT, TransferStatus.DROPPED)).exists():
        raise NotInDoubt("Some of it was refunded, or may have been. Clarify that first.")
    order = None if receipt.order_id is None else Order.objects.get(pk=receipt.order_id)
    # Before what follows from it: whether an order is closed depends on its receipts.
    receipt.verification = Verification.NEVER_CAME
    receipt.save(update_fields=["verification"])
    _take_back(receipt, order, RefundReason.NEVER_CAME, number="", text=NEVER_CAME)
    receipt.note = f"{NEVER_CAME} {receipt.doubt}"[:200]
    if order is not None and order.is_paid and receipt.written_off:
        receipt.note = f"Cancel what has not been delivered. {receipt.note}"[:200]
    receipt.save(update_fields=["note"])
    end_doubt(receipt, Verification.NEVER_CAME)
    logger.critical("receipt %s: %s", receipt.number, receipt.note)
    return receipt


@transaction.atomic
def undo_never_came(receipt_id: int) -> Receipt:
    """Count a payment again that was written off because it never arrived: it came after all.

    Its write-offs are reversed as far as it covers them, its order is paid if it covers its price,
    and any excess is refunded. Raises NotWrittenOff if it was not written off.
    """
    receipt = lock_receipt(receipt_id)
    if receipt.verification != Verification.NEVER_CAME:
        raise NotWrittenOff("Only a payment that was written off can come after all.")
    Refund.objects.lock_all_of(receipt)
    for refund in receipt.refunds.taken_back().order_by("pk"):
        refund.drop(CAME_AFTER_ALL)
        ledger.post_came_after_all(refund)
        ledger.post_refund_dropped(refund)
    receipt.verification = Verification.REPORTED
    receipt.note, receipt.unacknowledged = CAME_AFTER_ALL, False
    receipt.save(update_fields=["verification", "note", "unacknowledged"])
    order = None if receipt.order_id is None else Order.objects.get(pk=receipt.order_id)
    if order is not None:
        money = order_balance(order.pk)
        excess = money.credited - money.needed(order)
        if not order.is_unpaid and (part := min(receipt.written_off, max(excess, 0))):
            ledger.post_write_off_reversal(receipt, part)
            receipt.written_off -= part
            receipt.save(update_fields=["written_off"])
    update_order_doubt(receipt)
    receipt = reassess(receipt.pk)
    request_confirmation([] if receipt.is_confirmed else [receipt], again=True)
    if order is not None:
        receipt.waiting = order.is_unpaid and receipt.amount < order.amount
        receipt.save(update_fields=["waiting"])
        mark_order_paid(order.pk, credited=partial(amount_credited, order.pk))
        refund_excess_locked(Order.objects.get(pk=order.pk))
    logger.warning("receipt %s: %s", receipt.number, receipt.note)
    return receipt


class NotWrittenOff(ValueError):
    """The payment was not written off. Its text can be shown to staff."""


class NotInDoubt(ValueError):
    """The payment cannot be written off. Its text can be shown to staff."""


def _take_back(
    receipt: Receipt, order: Order | None, cause: RefundReason, *, number: str, text: str
) -> None:
    """Post a payment back that the shop does not have, and write off what is missing then.

    Call inside a transaction that holds the locks of its order, if it has one, of the receipt and
    of its refunds.
    """
    parts = receipt.refunds.filter(way=RefundMethod.OUTSIDE, result_text=PART_REVERSED)
    gone = parts.aggregate(total=Sum("amount"))["total"] or 0
    paid = _close_unsent(receipt, number=number, text=text)
    if paid + gone < receipt.amount:
        _give_back(
            receipt, receipt.amount - paid - gone, cause, number="" if paid else number, text=text
        )
    if order is not None:
        order.refresh_from_db()
        dropped = _keep_excess(receipt, order)
        _write_off_shortfall(receipt, order)
        owe_anew(receipt, order, dropped)
        refund_excess_locked(order)
    receipt.waiting = False
    receipt.save(update_fields=["waiting", "written_off"])


def _keep_excess(receipt: Receipt, order: Order) -> list[Refund]:
    """Drop unsent refunds of the other payments of a paid order, as far as it lacks this one: their
    money pays for the goods now. Returns the dropped refunds.
    """
    money = order_balance(order.pk)
    missing = money.needed(order) - money.credited
    if not order.is_paid or missing <= 0:
        return []
    return drop_refunds_to_cover(
        receipt, order, missing=missing, comes_to=receipt.amount, why=ANOTHER_PAYS
    )[1]


def mark_refunded_if_taken_back(order: Order) -> None:
    """Mark an order as refunded if its money was reversed by M-Pesa, never arrived, or was found to
    have been refunded before a restore.

    Safe to repeat. Call inside a transaction that holds the order's lock.
    """
    refunds = Refund.objects.owed().filter(order=order.pk)
    if not refunds.filter(Q(way=RefundMethod.OUTSIDE) | Q(withdrawal__isnull=False)).exists():
        return
    money = order_balance(order.pk)
    if money.credited > money.fees_earned:
        return
    if not refunds.not_done().exists():
        mark_order_refunded(order)


class CannotBeReversed(ValueError):
    """The payment is not M-Pesa's, or the number is another's. Its text can be shown to staff."""


def _check_number(receipt: Receipt, number: str) -> None:
    if is_known_number(number, excluding_refunds_of=receipt.pk):
        raise CannotBeReversed(f"{number} is the number of another transaction.")


def _name(known: Refund, number: str) -> str:
    is_new = number and not known.number and not Refund.objects.filter(number=number).exists()
    if is_new:
        known.number = number
        known.save(update_fields=["number"])
    return "Already recorded."


def _close_unsent(receipt: Receipt, *, number: str, text: str) -> int:
    """Settle the payment's unsent refunds with this reversal. Returns their total, KES.

    Call inside a transaction that holds the locks of all its refunds.
    """
    paid = 0
    unsent = receipt.refunds.owed().filter(status__in=UNSENT)
    for refund in list(unsent.order_by("pk")):
        # Not sent by the shop: one that M-Pesa refused is not counted in its day's total again.
        Refund.objects.filter(pk=refund.pk).update(way=RefundMethod.OUTSIDE, sent_at=None)
        mark_done(refund, number="" if paid else number, text=text)
        paid += refund.amount
    return paid


def _give_back(
    receipt: Receipt,
    amount: int,
    cause: RefundReason,
    *,
    number: str,
    text: str,
    way: RefundMethod = RefundMethod.OUTSIDE,
    phone: str = "",
) -> None:
    """Record a refund that was made; by default one that was not made by the shop."""
    now = timezone.now()
    refund = Refund.objects.create(
        receipt=receipt,
        order_id=receipt.order_id,
        amount=amount,
        cause=cause,
        way=way,
        phone=phone,
        status=TransferStatus.DONE,
        number=number,
        unnumbered="" if number else Unnumbered.OUTSIDE,
        result_text=text,
        done_at=now,
    )
    ledger.post_refund_due(refund)
    ledger.post_refund_paid(refund)


def _write_off_shortfall(receipt: Receipt, order: Order) -> None:
    """Write off what the order lacks: lines this money paid, or a double refund."""
    money = order_balance(order.pk)
    missing = money.needed(order) - money.credited
    if missing > 0:
        ledger.post_write_off(receipt, missing)
        receipt.written_off += missing
        receipt.save(update_fields=["written_off"])


def _lost(receipt: Receipt) -> int:
    """KES the shop has lost by it. A double refund of money in suspense is a debt there."""
    if receipt.order_id is not None:
        return receipt.written_off
    back: int = receipt.refunds.owed().aggregate(total=Sum("amount"))["total"] or 0
    return back - receipt.amount
