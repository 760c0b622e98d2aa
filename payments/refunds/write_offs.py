"""Payments that never arrived: staff write them off, and count them again if they came after all.

Locks: the order first, then the receipt, then its refunds.
"""

from __future__ import annotations

import logging
from functools import partial

from django.db import transaction
from django.db.models import Sum

from omachemainproj.money import format_kes
from orders.lifecycle import mark_order_paid
from orders.models import Order
from payments.doubt import end_doubt
from payments.evidence import lock_receipt, reassess, request_confirmation, update_order_doubt
from payments.models import (
    Receipt,
    Refund,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Verification,
    amount_credited,
)
from payments.models.refunds import UNSENT

from .corrections import (
    remove_payment,
    reverse_covered_write_off,
    undo_outside_refund,
)
from .services import refund_excess_locked

logger = logging.getLogger(__name__)

NEVER_CAME = "It never came."
ARRIVED_AFTER_ALL = "It came after all."


@transaction.atomic
def write_off_payment(receipt_id: int) -> Receipt:
    """Write off a payment in doubt that never arrived, and reverse its posting.

    Its refunds are no longer due. What a paid order's remaining lines lack after that is written
    off, until they are cancelled; the earnings of their sellers wait for a second person's
    approval.

    What was refunded of it before, the shop has lost: it is written off too, unless other money of
    its order covers it; of money in suspense it is a debt there.

    Raises NotInDoubt if the payment is not in doubt, if M-Pesa reversed it, or if a refund of it is
    under way.
    """
    receipt = lock_receipt(receipt_id)
    if not receipt.is_in_doubt:
        raise NotInDoubt("Only a payment in doubt can be written off.")
    write_off_locked(receipt, NEVER_CAME, receipt.doubt)
    logger.critical("receipt %s: %s", receipt.number, receipt.note)
    return receipt


def write_off_locked(receipt: Receipt, what: str, why: str = "") -> None:
    """``write_off_payment`` for a payment that need not be in doubt, as it is not its order's:
    that is left as if it had never arrived. ``what`` and ``why`` are noted on it, with what staff
    have to do.

    Call inside a transaction that holds the locks of its order, if it has one, and of the receipt.
    """
    Refund.objects.lock_all_of(receipt)
    refunded = _refunded_before(receipt)
    order = None if receipt.order_id is None else Order.objects.get(pk=receipt.order_id)
    # Before what follows from it: whether an order is closed depends on its receipts.
    receipt.verification = Verification.NEVER_CAME
    receipt.save(update_fields=["verification"])
    remove_payment(receipt, order, RefundReason.NEVER_CAME, number="", text=NEVER_CAME)
    lost = f"{format_kes(refunded)} of it had been refunded. " if refunded else ""
    receipt.note = f"{what} {lost}{why}".strip()[:200]
    if order is not None and order.is_paid and receipt.written_off:
        receipt.note = f"Cancel what has not been delivered. {receipt.note}"[:200]
    receipt.save(update_fields=["note"])
    end_doubt(receipt, Verification.NEVER_CAME)


def _refunded_before(receipt: Receipt) -> int:
    """KES of a payment that the shop has sent back. Raises NotInDoubt if some may be on its way, or
    if M-Pesa reversed the payment.

    Call inside a transaction that holds the locks of all its refunds.
    """
    left = receipt.refunds.exclude(status__in=(*UNSENT, TransferStatus.DROPPED))
    done = left.filter(status=TransferStatus.DONE)
    if left.exclude(status=TransferStatus.DONE).exists():
        raise NotInDoubt("A refund of it is under way. Wait for it, or record how it ended first.")
    if was_reversed(receipt):
        raise NotInDoubt("M-Pesa reversed it, so it arrived, and nothing of it is left.")
    ours = done.exclude(way=RefundMethod.OUTSIDE)
    total: int | None = ours.aggregate(total=Sum("amount"))["total"]
    return total or 0


def was_reversed(receipt: Receipt) -> bool:
    """Whether M-Pesa has reversed a payment, at the shop's request or not, and all of it."""
    done = receipt.refunds.filter(status=TransferStatus.DONE)
    return done.filter(way=RefundMethod.REVERSAL).exists() or done.taken_back().exists()


@transaction.atomic
def undo_write_off(receipt_id: int) -> Receipt:
    """Count a payment again that was written off because it never arrived: it came after all.

    Its write-offs are reversed as far as it covers them, its order is paid if it covers its price,
    and any excess is refunded. Raises NotWrittenOff if it was not written off.
    """
    receipt = lock_receipt(receipt_id)
    if receipt.verification != Verification.NEVER_CAME:
        raise NotWrittenOff("Only a payment that was written off can come after all.")
    Refund.objects.lock_all_of(receipt)
    for refund in receipt.refunds.taken_back():
        undo_outside_refund(refund, ARRIVED_AFTER_ALL)
    receipt.verification = Verification.REPORTED
    receipt.note, receipt.unacknowledged = ARRIVED_AFTER_ALL, False
    receipt.save(update_fields=["verification", "note", "unacknowledged"])
    order = None if receipt.order_id is None else Order.objects.get(pk=receipt.order_id)
    if order is not None:
        reverse_covered_write_off(receipt, order)
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
