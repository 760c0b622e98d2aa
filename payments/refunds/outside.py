"""Money M-Pesa took back by itself: a payment reversed at its customer's word, not at the shop's.

Locks: the order first, then the receipt.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from omachemainproj.compiled_queries import locked_row
from orders.lifecycle import mark_order_refunded
from orders.models import Order
from payments import ledger
from payments.models import (
    Cause,
    Provider,
    Receipt,
    Refund,
    TransferStatus,
    Unnumbered,
    Way,
    order_balance,
)
from payments.models.refunds import UNSENT
from payments.transfers import mark_done

from .services import refund_excess_locked

logger = logging.getLogger(__name__)

BY_MPESA = "M-Pesa took the payment back by itself."


@transaction.atomic
def record_outside_reversal(receipt_id: int, *, number: str = "") -> str:
    """Record that M-Pesa reversed a whole payment without the shop's asking. Safe to repeat.

    ``number`` is the reversal's own receipt, "" where it is not told. What of the payment was owed
    back and not sent is done by it. What standing lines of a paid order lack from then on is
    written off, until they are cancelled. A reversal the shop asked for is that one.

    Returns a note. Raises CannotBeReversed for a payment M-Pesa did not take, or a number that is
    known already.
    """
    order_id = Receipt.objects.values_list("order_id", flat=True).get(pk=receipt_id)
    order = locked_row(Order, order_id) if order_id is not None else None
    receipt = locked_row(Receipt, receipt_id)
    if receipt.order_id != order_id or receipt.provider != Provider.MPESA or not receipt.amount:
        raise CannotBeReversed("Only a payment M-Pesa has taken can be reversed by it.")
    _check_number(receipt, number)
    known = receipt.refunds.filter(way=Way.OUTSIDE).order_by("pk").first()
    if known is not None:
        return _name(known, number)
    asked = receipt.refunds.filter(way=Way.REVERSAL).exclude(status__in=(*UNSENT, "dropped"))
    if (ours := asked.order_by("-pk").first()) is not None:
        return mark_done(ours, number=number, text="M-Pesa tells of its reversal.")
    paid = _close_unsent(receipt, number)
    if paid < receipt.amount:
        _give_back(receipt, receipt.amount - paid, "" if paid else number)
    if order is not None:
        order.refresh_from_db()
        _write_off_what_is_missing(receipt, order)
        refund_excess_locked(order)
    receipt.waiting, receipt.unseen = False, True
    under = f" under {number}" if number else ""
    receipt.note = f"M-Pesa took it back{under} at its customer's word: KES {receipt.borne} lost."
    if order is not None and order.is_paid and receipt.borne:
        receipt.note += " Stop what has not been delivered."
    receipt.save(update_fields=["waiting", "unseen", "note", "borne"])
    logger.error("receipt %s: %s", receipt.number, receipt.note)
    return receipt.note


def close_if_taken_back(order: Order) -> None:
    """Mark an order as refunded whose money M-Pesa took back by itself, so that none is owed.

    Safe to repeat. Call inside a transaction that holds the order's lock.
    """
    refunds = Refund.objects.owed().filter(order=order.pk)
    if not refunds.filter(way=Way.OUTSIDE).exists() or order_balance(order.pk).credited > 0:
        return
    if not refunds.exclude(status=TransferStatus.DONE).exists():
        mark_order_refunded(order)


class CannotBeReversed(ValueError):
    """The payment is not M-Pesa's, or the number is another's. Its text is a plain sentence."""


def _check_number(receipt: Receipt, number: str) -> None:
    others = Refund.objects.filter(number=number).exclude(receipt=receipt.pk)
    if number and (number == receipt.number or others.exists()):
        raise CannotBeReversed(f"{number} is the number of another movement of money.")


def _name(known: Refund, number: str) -> str:
    is_new = number and not known.number and not Refund.objects.filter(number=number).exists()
    if is_new:
        known.number = number
        known.save(update_fields=["number"])
    return "Known already."


def _close_unsent(receipt: Receipt, number: str) -> int:
    """End what was owed of the payment and not sent: M-Pesa has paid it. Returns KES."""
    paid = 0
    unsent = receipt.refunds.owed().filter(status__in=UNSENT)
    for refund in list(unsent.order_by("pk")):
        Refund.objects.filter(pk=refund.pk).update(way=Way.OUTSIDE)
        mark_done(refund, number="" if paid else number, text=BY_MPESA)
        paid += refund.amount
    return paid


def _give_back(receipt: Receipt, amount: int, number: str) -> None:
    now = timezone.now()
    refund = Refund.objects.create(
        receipt=receipt,
        order_id=receipt.order_id,
        amount=amount,
        cause=Cause.OUTSIDE,
        way=Way.OUTSIDE,
        status=TransferStatus.DONE,
        number=number,
        unnumbered="" if number else Unnumbered.OUTSIDE,
        result_text=BY_MPESA,
        done_at=now,
    )
    ledger.post_refund_due(refund)
    ledger.post_refund_paid(refund)


def _write_off_what_is_missing(receipt: Receipt, order: Order) -> None:
    """Bear what the lines that stand were to be paid with, and what went back twice."""
    money = order_balance(order.pk)
    needed = order.amount - money.returned if order.is_paid else 0
    missing = needed - money.credited
    if missing > 0:
        ledger.post_loss(receipt, missing)
        receipt.borne += missing
        receipt.save(update_fields=["borne"])
