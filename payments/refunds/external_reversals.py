"""Payments that M-Pesa reversed without the shop's request, whole or in part.

Locks: the order first, then the receipt, then its refunds.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, Sum

from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from orders.models import Order
from payments.evidence import lock_receipt
from payments.models import (
    Provider,
    Receipt,
    Refund,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Verification,
    Withdrawal,
)
from payments.models.refunds import (
    PART_REVERSED,
    PART_REVERSED_CORRECTED,
    PART_REVERSED_ELSEWHERE,
    PARTS_REVERSED,
    UNSENT,
)
from payments.transfers import is_known_number, mark_done

from .corrections import (
    record_refund,
    remove_payment,
    reverse_covered_write_off,
    take_back,
    undo_outside_refund,
)

logger = logging.getLogger(__name__)

BY_MPESA = "M-Pesa reversed the payment itself."


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
    known = receipt.refunds.taken_back().first()
    if known is not None and _is_recorded(receipt, number):
        return "Already recorded."
    check_number(receipt, number)
    if known is not None:
        return _record_number(known, number)
    if receipt.verification == Verification.NEVER_CAME:
        raise CannotBeReversed("It was written off because it never arrived.")
    Refund.objects.lock_all_of(receipt)
    requested = receipt.refunds.filter(way=RefundMethod.REVERSAL).exclude(
        status__in=(*UNSENT, TransferStatus.DROPPED)
    )
    if (ours := requested.order_by("-pk").first()) is not None:
        return mark_done(ours, number=number, text="M-Pesa reported its reversal.")
    if number and (other := receipt.refunds.numbered(number).first()) is not None:
        raise CannotBeReversed(
            f"{number} is recorded as a refund of {format_kes(other.amount)} of it."
        )
    remove_payment(receipt, order, RefundReason.OUTSIDE, number=number, text=BY_MPESA)
    receipt.unacknowledged = True
    under = f" under {number}" if number else ""
    lost = format_kes(_amount_lost(receipt))
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
    if _is_recorded(receipt, number) or receipt.refunds.numbered(number).exists():
        return "Already recorded."
    Refund.objects.lock_all_of(receipt)
    outside = receipt.refunds.owed().filter(way__in=(RefundMethod.OUTSIDE, RefundMethod.REVERSAL))
    outside = outside.exclude(status__in=UNSENT)
    taken = outside.aggregate(total=Sum("amount"))["total"] or 0
    if receipt.provider != Provider.MPESA or taken + amount > receipt.amount:
        raise CannotBeReversed(f"Only {format_kes(receipt.amount)} arrived as {receipt.number}.")
    check_number(receipt, number)
    _take_back(receipt, amount, taken=taken, number=number, text=PART_REVERSED)
    part = f"{format_kes(amount)} of {format_kes(receipt.amount)}"
    return _note_part(receipt, f"M-Pesa reversed {part} under {number} at its customer's request.")


@transaction.atomic
def correct_reversal(receipt_id: int, *, number: str, amount: int) -> str:
    """Correct the amount of a reversal that staff recorded under ``number``, also as a refund they
    made on the portal: M-Pesa's own report shows ``amount`` KES. Safe to repeat.

    What was recorded is reversed by opposite entries, and recorded again as M-Pesa shows it; what
    is still due then is due again. The old row keeps the number. Returns a note, or "" if nothing
    of this payment is recorded under it.
    """
    receipt = lock_receipt(receipt_id)
    Refund.objects.lock_all_of(receipt)
    of_it = Refund.objects.filter(Q(receipt=receipt) | Q(receipt__same_as=receipt))
    numbered = of_it.numbered(number).exclude(way=RefundMethod.REVERSAL).first()
    if numbered is None or not 0 < amount <= receipt.amount:
        return ""
    is_whole = numbered.way == RefundMethod.OUTSIDE and numbered.result_text not in PARTS_REVERSED
    recorded = receipt.amount if is_whole else numbered.amount
    # With what M-Pesa has since said to be reversed, all of it may be recorded.
    is_all_back = not is_whole and receipt.refunds.taken_back().exists()
    counts = _row_that_counts(numbered, receipt)
    if amount == recorded or counts is None or is_all_back:
        return "Already recorded."
    order = None if receipt.order_id is None else Order.objects.get(pk=receipt.order_id)
    for refund in receipt.refunds.taken_back() if is_whole else [counts]:
        undo_outside_refund(refund, f"M-Pesa shows a reversal of {format_kes(amount)}.")
    if order is not None:
        reverse_covered_write_off(receipt, order)
    if amount == receipt.amount:
        remove_payment(receipt, order, RefundReason.OUTSIDE, number="", text=BY_MPESA)
    else:
        taken = receipt.refunds.reversed_parts().aggregate(total=Sum("amount"))["total"] or 0
        _take_back(receipt, amount, taken=taken, number="", text=PART_REVERSED_CORRECTED)
    receipt.note = (
        f"M-Pesa reversed {format_kes(amount)} of {format_kes(receipt.amount)} under {number}; "
        f"{format_kes(recorded)} had been recorded."
    )
    receipt.unacknowledged = True
    receipt.save(update_fields=["note", "unacknowledged"])
    logger.error("receipt %s: %s", receipt.number, receipt.note)
    return receipt.note


def _row_that_counts(numbered: Refund, receipt: Receipt) -> Refund | None:
    """The refund of a receipt that records a reversal: the one with its number, or another where
    the money was found to be an order's (``repeat_reversals``). None if neither counts any more."""
    if numbered.status == TransferStatus.DONE:
        return numbered
    if numbered.result_text not in PARTS_REVERSED:
        return receipt.refunds.taken_back().first()
    parts = receipt.refunds.reversed_parts().filter(result_text=PART_REVERSED_ELSEWHERE)
    return parts.filter(amount=numbered.amount).first()


class Reversed(NamedTuple):
    """What M-Pesa reversed of a payment by itself: refunds of parts, and of the whole payment."""

    parts: list[Refund]
    whole: list[Refund]


def undo_reversals(receipt: Receipt, why: str) -> Reversed:
    """Undo what is recorded as reversed by M-Pesa of money in suspense that is found to be an
    order's. The old rows keep the numbers. The caller repeats it there (``repeat_reversals``).

    Call inside a transaction that holds the lock of the receipt.
    """
    Refund.objects.lock_all_of(receipt)
    refunds = receipt.refunds
    found = Reversed(list(refunds.reversed_parts()), list(refunds.taken_back()))
    for refund in [*found.parts, *found.whole]:
        undo_outside_refund(refund, why)
    return found


def repeat_reversals(receipt: Receipt, found: Reversed) -> int:
    """Record for this receipt what M-Pesa reversed of another, which turned out to be the same
    payment. Returns the total of the parts, KES.

    Call inside a transaction that holds the locks of both and of their orders.
    """
    taken = 0
    for part in found.parts:
        taken += _repeat_part(receipt, part, taken=taken)
        _move_withdrawals([part], receipt)
    if found.whole:
        record_outside_reversal(receipt.pk)
        receipt.refresh_from_db()
        _move_withdrawals(found.whole, receipt)
        return int(receipt.amount)
    return taken


def copy_part_reversals(receipt: Receipt, other: Receipt) -> int:
    """Record for this receipt the parts that M-Pesa reversed of another, which turned out to be the
    same payment, and was recorded for another order: there they stay, as it is written off. Returns
    their total, KES.

    Call inside a transaction that holds the locks of both and of their orders.
    """
    taken = 0
    for part in other.refunds.reversed_parts():
        taken += _repeat_part(receipt, part, taken=taken)
    return taken


def _repeat_part(receipt: Receipt, part: Refund, *, taken: int) -> int:
    """Record a part of another receipt for this one, after ``taken`` KES. Returns its KES."""
    _take_back(receipt, part.amount, taken=taken, number="", text=PART_REVERSED_ELSEWHERE)
    amounts = f"{format_kes(taken + part.amount)} of {format_kes(receipt.amount)}"
    _note_part(receipt, f"M-Pesa reversed {amounts} before it was known whose payment it is.")
    return int(part.amount)


def _move_withdrawals(undone: list[Refund], receipt: Receipt) -> None:
    """Move the withdrawals on the portal's statement from the undone refunds that they settled to
    the one that records the reversal now."""
    counts = receipt.refunds.done_outside().last()
    Withdrawal.objects.filter(refund__in=undone).update(refund=counts)


def _is_recorded(receipt: Receipt, number: str) -> bool:
    """Whether a reversal of a payment is recorded under this number, also for the order that the
    payment was moved from."""
    same = Refund.objects.filter(
        number=number, way__in=(RefundMethod.OUTSIDE, RefundMethod.REVERSAL)
    )
    return same.exclude(number="").filter(Q(receipt=receipt) | Q(receipt__number="")).exists()


def _take_back(receipt: Receipt, amount: int, *, taken: int, number: str, text: str) -> None:
    """Record that M-Pesa reversed ``amount`` KES of a payment, after ``taken`` KES of it."""
    outside = RefundReason.OUTSIDE
    record = partial(record_refund, receipt, amount, outside, number=number, text=text)
    take_back(receipt, amount, taken=taken, record=record)


class CannotBeReversed(ValueError):
    """The payment is not M-Pesa's, or the number is another's. Its text can be shown to staff."""


def check_number(receipt: Receipt, number: str) -> None:
    if is_known_number(number, excluding_refunds_of=receipt.pk):
        raise CannotBeReversed(f"{number} is the number of another transaction.")


def _record_number(known: Refund, number: str) -> str:
    is_new = number and not known.number and not Refund.objects.filter(number=number).exists()
    if is_new:
        known.number = number
        known.save(update_fields=["number"])
    return "Already recorded."


def _note_part(receipt: Receipt, note: str) -> str:
    """Have staff look at a payment of which M-Pesa reversed a part. Returns the whole note."""
    if receipt.order is not None and receipt.written_off:
        note += " Stop anything that has not been delivered."
    receipt.note, receipt.unacknowledged = note, True
    receipt.save(update_fields=["note", "unacknowledged"])
    logger.error("receipt %s: %s", receipt.number, note)
    return note


def _amount_lost(receipt: Receipt) -> int:
    """KES the shop has lost by it. A double refund of money in suspense is a debt there."""
    if receipt.order_id is not None:
        return receipt.written_off
    back: int = receipt.refunds.owed().aggregate(total=Sum("amount"))["total"] or 0
    return back - receipt.amount
