"""Money the shop has not got: reversed by M-Pesa at its customer's word, or never come at all.

Locks: the order first, then the receipt, then its refunds.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from omachemainproj.locking import locked_row
from orders.lifecycle import mark_order_refunded
from orders.models import Order
from payments import ledger
from payments.evidence import end_doubt, lock_receipt
from payments.models import (
    Provider,
    Receipt,
    Refund,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Unnumbered,
    Verification,
    order_balance,
)
from payments.models.refunds import UNSENT
from payments.transfers import is_known_number, mark_done

from .corrections import drop_unsent, owe_anew
from .services import refund_excess_locked

logger = logging.getLogger(__name__)

BY_MPESA = "M-Pesa took the payment back by itself."
NEVER_CAME = "It never came."
KEPT = "Another payment of the order is gone, and this one pays for its goods."


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
    known = receipt.refunds.filter(way=RefundMethod.OUTSIDE).order_by("pk").first()
    if known is not None:
        return _name(known, number)
    if receipt.verification == Verification.NEVER_CAME:
        raise CannotBeReversed("It is written off as never having come.")
    Refund.objects.lock_all_of(receipt)
    asked = receipt.refunds.filter(way=RefundMethod.REVERSAL).exclude(
        status__in=(*UNSENT, TransferStatus.DROPPED)
    )
    if (ours := asked.order_by("-pk").first()) is not None:
        return mark_done(ours, number=number, text="M-Pesa tells of its reversal.")
    _take_back(receipt, order, RefundReason.OUTSIDE, number=number, text=BY_MPESA)
    receipt.unacknowledged = True
    under = f" under {number}" if number else ""
    receipt.note = f"M-Pesa took it back{under} at its customer's word: KES {_lost(receipt)} lost."
    if order is not None and order.is_paid and receipt.written_off:
        receipt.note += " Stop what has not been delivered."
    receipt.save(update_fields=["unacknowledged", "note"])
    logger.error("receipt %s: %s", receipt.number, receipt.note)
    return receipt.note


@transaction.atomic
def record_refund_found(
    receipt_id: int, *, number: str, amount: int, phone: str, text: str
) -> Refund:
    """Record that ``amount`` KES of a payment went back to its payer under ``number``, which no row
    of ours tells: a restored backup knows nothing of it. Returns the refund that it is. ``phone``
    is "" where nothing shows to which number.

    A refund of that amount which may have left is that one, also where it is done and M-Pesa named
    no receipt of it. Else what its order's standing lines
    lack from then on is written off, until they are cancelled.

    Raises CannotBeReversed where more would have gone back than came, or where one waits for a
    second person, who approves it first.
    """
    order_id = Receipt.objects.values_list("order_id", flat=True).get(pk=receipt_id)
    order = locked_row(Order, order_id) if order_id is not None else None
    receipt = locked_row(Receipt, receipt_id)
    _check_number(receipt, number)
    Refund.objects.lock_all_of(receipt)
    owed = receipt.refunds.owed()
    is_unnamed = Q(way=RefundMethod.B2C, number="", unnumbered=Unnumbered.NOT_TOLD)
    waiting = owed.filter(~Q(status=TransferStatus.DONE) | is_unnamed, amount=amount)
    refund = waiting.order_by("pk").first()
    if refund is not None:
        if refund.awaits_approval:
            raise CannotBeReversed("Its refund waits for a second person: have it approved first.")
        mark_done(refund, number=number, text=text)
        refund.refresh_from_db()
        return refund
    back = owed.aggregate(total=Sum("amount"))["total"] or 0
    if receipt.order_id != order_id or back + amount > receipt.amount:
        raise CannotBeReversed(f"Of {receipt.number} no more than KES {receipt.amount} came.")
    way = RefundMethod.B2C if phone else RefundMethod.PORTAL
    _give_back(receipt, amount, RefundReason.STAFF, number=number, text=text, way=way, phone=phone)
    if order is not None:
        order.refresh_from_db()
        _write_off_what_is_missing(receipt, order)
        refund_excess_locked(order)
    receipt.refresh_from_db()
    return Refund.objects.get(number=number)


@transaction.atomic
def write_off_never_came(receipt_id: int) -> Receipt:
    """Write off a payment in doubt: it never came. What was posted for it is posted back.

    What was owed back of it is owed no more. What standing lines of a paid order lack from then on
    the shop bears, until they are cancelled; what their sellers earned waits for a second person.

    Raises NotInDoubt where nothing says that it did not come, or where some of it has left.
    """
    receipt = lock_receipt(receipt_id)
    if not receipt.is_in_doubt:
        raise NotInDoubt("Only a payment in doubt can be written off.")
    Refund.objects.lock_all_of(receipt)
    if receipt.refunds.exclude(status__in=(*UNSENT, TransferStatus.DROPPED)).exists():
        raise NotInDoubt("Some of it was sent back, or may have been. Find out about that first.")
    order = None if receipt.order_id is None else Order.objects.get(pk=receipt.order_id)
    # Before what follows from it: an order is closed by what it knows of its receipts.
    receipt.verification = Verification.NEVER_CAME
    receipt.save(update_fields=["verification"])
    _take_back(receipt, order, RefundReason.NEVER_CAME, number="", text=NEVER_CAME)
    receipt.note = f"{NEVER_CAME} {receipt.doubt}"[:200]
    if order is not None and order.is_paid and receipt.written_off:
        receipt.note = f"Cancel what is not delivered. {receipt.note}"[:200]
    receipt.save(update_fields=["note"])
    end_doubt(receipt, Verification.NEVER_CAME)
    logger.critical("receipt %s: %s", receipt.number, receipt.note)
    return receipt


class NotInDoubt(ValueError):
    """The payment cannot be written off. Its text is a plain sentence."""


def _take_back(
    receipt: Receipt, order: Order | None, cause: RefundReason, *, number: str, text: str
) -> None:
    """Post all of a payment back that the shop has not got, and write off what is missing then.

    Call inside a transaction that holds the lock of its order, if it has one, its own, and those of
    its refunds.
    """
    paid = _close_unsent(receipt, number=number, text=text)
    if paid < receipt.amount:
        _give_back(receipt, receipt.amount - paid, cause, number="" if paid else number, text=text)
    if order is not None:
        order.refresh_from_db()
        dropped = _keep_what_was_too_much(receipt, order)
        _write_off_what_is_missing(receipt, order)
        owe_anew(receipt, order, dropped)
        refund_excess_locked(order)
    receipt.waiting = False
    receipt.save(update_fields=["waiting", "written_off"])


def close_if_taken_back(order: Order) -> None:
    """Mark an order as refunded whose money M-Pesa took back by itself, or never came, or was found
    to have gone back before the database was restored.

    Safe to repeat. Call inside a transaction that holds the order's lock.
    """
    refunds = Refund.objects.owed().filter(order=order.pk)
    if not refunds.filter(Q(way=RefundMethod.OUTSIDE) | Q(withdrawal__isnull=False)).exists():
        return
    money = order_balance(order.pk)
    if money.credited > money.fees_earned:
        return
    if not refunds.exclude(status=TransferStatus.DONE).exists():
        mark_order_refunded(order)


class CannotBeReversed(ValueError):
    """The payment is not M-Pesa's, or the number is another's. Its text is a plain sentence."""


def _check_number(receipt: Receipt, number: str) -> None:
    if is_known_number(number, besides_refunds_of=receipt.pk):
        raise CannotBeReversed(f"{number} is the number of another movement of money.")


def _name(known: Refund, number: str) -> str:
    is_new = number and not known.number and not Refund.objects.filter(number=number).exists()
    if is_new:
        known.number = number
        known.save(update_fields=["number"])
    return "Known already."


def _close_unsent(receipt: Receipt, *, number: str, text: str) -> int:
    """End what was owed of the payment and not sent: it is owed no more. Returns KES.

    Call inside a transaction that holds the locks of all its refunds.
    """
    paid = 0
    unsent = receipt.refunds.owed().filter(status__in=UNSENT)
    for refund in list(unsent.order_by("pk")):
        Refund.objects.filter(pk=refund.pk).update(way=RefundMethod.OUTSIDE)
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
    """Write down that it went back: by no payment of ours, where no other way is named."""
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


def _keep_what_was_too_much(receipt: Receipt, order: Order) -> list[Refund]:
    """Keep what was to go back of other payments of a paid order, as far as it lacks this one: what
    was too much beside it pays for the goods now. Returns the refunds that were dropped for that.
    """
    money = order_balance(order.pk)
    missing = money.needed(order) - money.credited
    if not order.is_paid or missing <= 0:
        return []
    return drop_unsent(receipt, order, missing=missing, comes_to=receipt.amount, why=KEPT)[1]


def _write_off_what_is_missing(receipt: Receipt, order: Order) -> None:
    """Bear what stands and was to be paid with it, and what went back twice."""
    money = order_balance(order.pk)
    missing = money.needed(order) - money.credited
    if missing > 0:
        ledger.post_loss(receipt, missing)
        receipt.written_off += missing
        receipt.save(update_fields=["written_off"])


def _lost(receipt: Receipt) -> int:
    """KES the shop has lost by it. Money in suspense that goes back twice is a debt there."""
    if receipt.order_id is not None:
        return receipt.written_off
    back: int = receipt.refunds.owed().aggregate(total=Sum("amount"))["total"] or 0
    return back - receipt.amount
