"""Refunds that M-Pesa's statement shows and no row does: they were made after the backup that the
database was restored from.

Locks: the order first, then the receipt, then its refunds.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q, Sum

from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from orders.models import Order
from payments.models import (
    Receipt,
    Refund,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Unnumbered,
)
from payments.models.refunds import UNSENT
from payments.models.transfers import UNDER_WAY
from payments.payment_matching import is_undecided
from payments.transfers import mark_done

from .corrections import record_refund, take_back
from .external_reversals import CannotBeReversed, check_number
from .replacements import create_replacement, find_refused_before

#: Why a refund is not sent that was due when money was found to have gone back.
GONE_BEFORE = "Money of the payment had gone back that was not recorded."
#: Why money cannot be said yet to have been a refund.
UNDECIDED = "It may be the payment of an order's prompt. Wait for M-Pesa's answer, or decide first."
SENT_LATER = "A refund of that amount was sent after it, and is under way. Wait for its result."


@transaction.atomic
def record_refund_found(
    receipt_id: int, *, number: str, amount: int, phone: str, text: str, left_before: datetime
) -> Refund:
    """Record a refund of ``amount`` KES under ``number`` that no row shows: it was made after the
    backup that was restored, or by hand.

    Returns the refund it was. ``phone`` is "" if nothing shows the number it went to. A refund of
    that amount which may have been sent by ``left_before``, or is done without a receipt number, is
    taken to be this one. If M-Pesa has one that was sent later, the refused one that this replaced
    is: the money may go back twice. Otherwise unsent refunds are dropped as far as it covers them,
    and what the order's remaining lines lack after it is written off, until they are cancelled.

    Raises CannotBeReversed if more would have gone back than was paid, as while M-Pesa has a
    reversal of it, if the refund is waiting for a second person, who has to approve it first, or
    if the money may be a prompt's: once some of it went back, it cannot be matched any more.
    """
    order_id = Receipt.objects.values_list("order_id", flat=True).get(pk=receipt_id)
    if order_id is not None:
        lock_row(Order, order_id)
    receipt = lock_row(Receipt, receipt_id)
    check_number(receipt, number)
    Refund.objects.lock_all_of(receipt)
    gone = receipt.refunds.owed().exclude(status__in=UNSENT).aggregate(total=Sum("amount"))
    taken = gone["total"] or 0
    is_too_much = receipt.order_id != order_id or taken + amount > receipt.amount
    refund = _find_sent(receipt, amount, left_before)
    if refund is None and is_too_much:
        refund = _find_refused_before_made(receipt, amount)
    if refund is not None:
        if refund.awaits_approval:
            raise CannotBeReversed(
                "Its refund is waiting for a second person. Have it approved first."
            )
        if refund.is_reversal and refund.status == TransferStatus.REFUSED:
            # M-Pesa may still make the reversal: then the money went twice.
            refund = create_replacement(refund, way=RefundMethod.PORTAL)
        mark_done(refund, number=number, text=text)
        refund.refresh_from_db()
        return refund
    if is_too_much:
        raise CannotBeReversed(f"Only {format_kes(receipt.amount)} arrived as {receipt.number}.")
    if is_undecided(receipt):
        raise CannotBeReversed(UNDECIDED)
    way = RefundMethod.B2C if phone else RefundMethod.PORTAL
    record = partial(
        record_refund,
        *(receipt, amount, RefundReason.STAFF),
        number=number,
        text=text,
        way=way,
        phone=phone,
    )
    take_back(receipt, amount, taken=taken, record=record, why=GONE_BEFORE)
    return Refund.objects.get(number=number)


def _find_sent(receipt: Receipt, amount: int, left_before: datetime) -> Refund | None:
    """Return the receipt's refund of ``amount`` KES that may have left before ``left_before``, or
    None.

    Raises CannotBeReversed if M-Pesa has one that was sent later, and replaced none.
    """
    is_unnamed = Q(way=RefundMethod.B2C, number="", unnumbered=Unnumbered.NOT_TOLD)
    # A reversal that M-Pesa has may be made yet; it is not what went to the phone.
    is_with_mpesa = Q(way=RefundMethod.REVERSAL, status__in=UNDER_WAY)
    owed = receipt.refunds.owed().filter(~Q(status=TransferStatus.DONE) | is_unnamed, amount=amount)
    waiting = owed.exclude(is_with_mpesa).order_by("pk")
    later = Refund.objects.sent_after(left_before)
    found = waiting.exclude(pk__in=later).first()
    if found is not None or (sent_later := waiting.filter(pk__in=later).first()) is None:
        return found
    refused = find_refused_before(sent_later)
    if refused is None:
        raise CannotBeReversed(SENT_LATER)
    return refused


def _find_refused_before_made(receipt: Receipt, amount: int) -> Refund | None:
    """Return a refund of this amount that M-Pesa refused, whose replacement was made: staff had
    made it by hand too, so the money went back twice. None if there is none."""
    made = receipt.refunds.owed().filter(status=TransferStatus.DONE, amount=amount).order_by("pk")
    return next(filter(None, map(find_refused_before, made)), None)
