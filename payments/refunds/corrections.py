"""Correcting the books when less of a payment is there than was recorded: its refunds, and what its
order lacks.

Locks: the order first, then the receipt, then its refunds.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Sum
from django.utils import timezone

from orders.models import Order
from payments import ledger
from payments.models import (
    Receipt,
    Refund,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Unnumbered,
    order_balance,
)
from payments.models.refunds import UNSENT
from payments.transfers import mark_done

from .services import (
    create_refund,
    drop_refund,
    drop_unsent_refunds,
    mark_lines_refunded,
    mark_refunded_if_none_outstanding,
    refund_excess_locked,
    unrefunded,
)

ANOTHER_PAYS = "Another payment of the order is gone, and this one pays for its goods."
SAME_PAYMENT = "It is the same payment as another of the order, which was entered twice."
AMOUNT_CORRECTED = (
    "The payment's amount was corrected: its refund is created again for what is due now."
)


def drop_refunds_to_cover(
    receipt: Receipt,
    order: Order | None,
    *,
    missing: int,
    corrected_amount: int,
    why: str = AMOUNT_CORRECTED,
) -> tuple[int, list[Refund]]:
    """Drop unsent refunds until ``missing`` KES less are owed back.

    ``corrected_amount`` is the receipt's, in KES: a reversal of any other amount is dropped too,
    because a payment is reversed whole. Returns the KES that no unsent refund covers, because they
    have left or may have, and the refunds that were dropped. The caller replaces those
    (``recreate_refunds``) once the receipt is corrected.

    Call inside a transaction that holds the locks of the receipt and of its order, if it has one.
    """
    dropped = []
    for refund in _lock_unsent(receipt, order):
        is_misfit = (
            refund.is_reversal
            and refund.receipt_id == receipt.pk
            and refund.amount != corrected_amount
        )
        if missing > 0 or is_misfit:
            drop_refund(refund, why)
            dropped.append(refund)
            missing -= refund.amount
    return max(missing, 0), dropped


def recreate_refunds(receipt: Receipt, order: Order | None, dropped: list[Refund]) -> None:
    """Create the refunds that are due in place of the dropped ones: an order's excess, or what is
    left of money in suspense.

    Call inside a transaction that holds the locks of the receipt and of its order, if it has one.
    """
    if order is None:
        for refund in dropped:
            left = unrefunded(receipt)
            amount = left if refund.is_reversal else min(left, refund.amount)
            if amount > 0:
                create_refund(receipt, amount, refund.cause, actor_id=refund.author_id)
    elif dropped:
        # Of several, only the last is still partly due.
        last = dropped[-1]
        refund_excess_locked(order, reason=RefundReason(last.cause), line=last.track)
        mark_lines_refunded({refund.track_id for refund in dropped if refund.track_id})
        mark_refunded_if_none_outstanding(order)


def shortfall_of(order: Order) -> int:
    """The KES an order lacks: below zero, what is still to be refunded of it."""
    money = order_balance(order.pk)
    return money.needed(order) - money.credited


def missing_of_order(order: Order, *, shortfall: int) -> int:
    """The KES an order would lack if ``shortfall`` KES of its credited money had never arrived.

    An unpaid order lacks nothing: it is still waiting for its money.
    """
    if order.is_unpaid:
        return 0
    return max(min(shortfall_of(order) + shortfall, shortfall), 0)


def missing_of_suspense(receipt: Receipt, *, corrected_amount: int) -> int:
    """The KES by which the refunds of money in suspense exceed its corrected amount."""
    return max(receipt.amount - unrefunded(receipt) - corrected_amount, 0)


def remove_payment(
    receipt: Receipt, order: Order | None, cause: RefundReason, *, number: str, text: str
) -> None:
    """Record that the shop does not have a payment, and write off what its order lacks then.

    Its unsent refunds count as made, and the rest of it is posted as a refund that the shop did not
    make. Call inside a transaction that holds the locks of its order, if it has one, of the receipt
    and of its refunds.
    """
    reversed_before = receipt.refunds.reversed_parts().aggregate(total=Sum("amount"))["total"] or 0
    paid = _close_unsent(receipt, number=number, text=text)
    if paid + reversed_before < receipt.amount:
        record_refund(
            receipt,
            receipt.amount - paid - reversed_before,
            cause,
            number="" if paid else number,
            text=text,
        )
    if order is not None:
        order.refresh_from_db()
        dropped = _drop_refunds_of_other_payments(receipt, order)
        write_off_shortfall(receipt, order)
        recreate_refunds(receipt, order, dropped)
        refund_excess_locked(order)
    receipt.waiting = False
    receipt.save(update_fields=["waiting", "written_off"])


def absorb_duplicate(duplicate: Receipt, kept: Receipt, order: Order, *, note: str) -> bool:
    """Count an order's receipt no more, because it is the same payment as another of its receipts.

    Its posting is reversed by an opposite one and its unsent refunds are dropped. What the order
    lacks then is taken from its other unsent refunds, or written off on ``kept``. Afterwards the
    duplicate has neither an order nor an attempt. Returns False, and changes nothing, if a refund
    of it was sent or may have been, or if M-Pesa reversed some of it.

    Call inside a transaction that holds the locks of the order and of both receipts.
    """
    dropped = list(duplicate.refunds.owed().order_by("pk"))
    is_reversed = duplicate.refunds.done_outside().exists()
    if is_reversed or not drop_unsent_refunds(duplicate, why=SAME_PAYMENT):
        return False
    if duplicate.written_off:
        ledger.post_write_off_reversal(duplicate, duplicate.written_off)
    ledger.post_merge(duplicate)
    duplicate.amount = duplicate.written_off = 0
    duplicate.order = duplicate.payment = None
    duplicate.same_as, duplicate.waiting, duplicate.note = kept, False, note[:200]
    duplicate.save()
    order.refresh_from_db()
    dropped += _drop_refunds_of_other_payments(kept, order)
    # What is still due is a line's, if one was cancelled.
    dropped.sort(key=lambda refund: bool(refund.track_id))
    write_off_shortfall(kept, order)
    recreate_refunds(kept, order, dropped)
    refund_excess_locked(order)
    return True


def take_back(
    receipt: Receipt,
    amount: int,
    *,
    taken: int,
    record: Callable[[], None],
    why: str = ANOTHER_PAYS,
) -> None:
    """Record that ``amount`` KES of a payment went back that no refund was due for, after ``taken``
    KES of it. ``record`` creates its refund.

    Unsent refunds are dropped as far as it covers them, for the reason ``why``; what a paid order's
    remaining lines lack then is written off, until they are cancelled. Call inside a transaction
    that holds the locks of its order, if it has one, of the receipt and of its refunds.
    """
    order = None if receipt.order_id is None else Order.objects.get(pk=receipt.order_id)
    left = receipt.amount - taken - amount
    if order is None:
        missing = missing_of_suspense(receipt, corrected_amount=receipt.amount - amount)
    else:
        missing = missing_of_order(order, shortfall=amount)
    _, dropped = drop_refunds_to_cover(
        receipt, order, missing=missing, corrected_amount=left, why=why
    )
    record()
    if order is not None:
        if not order.is_unpaid:
            write_off_shortfall(receipt, order)
        recreate_refunds(receipt, order, dropped)
        refund_excess_locked(order)
        mark_refunded_if_none_outstanding(order)
    else:
        recreate_refunds(receipt, None, dropped)
    receipt.refresh_from_db()


def _drop_refunds_of_other_payments(receipt: Receipt, order: Order) -> list[Refund]:
    """Drop unsent refunds of the other payments of a paid order, as far as it lacks this one: their
    money pays for the goods now. Returns the dropped refunds.
    """
    missing = shortfall_of(order)
    if not order.is_paid or missing <= 0:
        return []
    return drop_refunds_to_cover(
        receipt, order, missing=missing, corrected_amount=receipt.amount, why=ANOTHER_PAYS
    )[1]


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


def record_refund(
    receipt: Receipt,
    amount: int,
    cause: RefundReason,
    *,
    number: str,
    text: str,
    way: RefundMethod = RefundMethod.OUTSIDE,
    phone: str = "",
) -> None:
    """Record and post a refund of ``amount`` KES that was made; by default not by the shop."""
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


def undo_outside_refund(refund: Refund, why: str) -> None:
    """Reverse that money of a payment was taken back from the shop, which was posted as this
    refund: it was not."""
    refund.drop(why)
    refund.done_at, refund.unnumbered = None, ""
    refund.save(update_fields=["done_at", "unnumbered"])
    ledger.post_came_after_all(refund)
    ledger.post_refund_dropped(refund)


def reverse_covered_write_off(receipt: Receipt, order: Order) -> None:
    """Reverse what was written off on a receipt, as far as its order has more money than it needs.

    Call inside a transaction that holds the locks of the order and of the receipt.
    """
    excess = max(-shortfall_of(order), 0)
    if not order.is_unpaid and (part := min(receipt.written_off, excess)):
        ledger.post_write_off_reversal(receipt, part)
        receipt.written_off -= part
        receipt.save(update_fields=["written_off"])


def write_off_shortfall(receipt: Receipt, order: Order) -> None:
    """Write off what an order lacks on one of its receipts: lines whose money is gone, or a double
    refund.

    Call inside a transaction that holds the locks of the order and of the receipt.
    """
    if (missing := shortfall_of(order)) > 0:
        ledger.post_write_off(receipt, missing)
        receipt.written_off += missing
        receipt.save(update_fields=["written_off"])


def _lock_unsent(receipt: Receipt, order: Order | None) -> list[Refund]:
    """Lock and return the unsent refunds: all of a paid order's, because they go to one buyer;
    otherwise the receipt's own, because each payer of a closed order is owed their own money.

    The receipt's refunds come first, then those of no single line, then the newest.
    """
    is_of_order = order is not None and order.is_paid
    of = {"order": receipt.order_id} if is_of_order else {"receipt": receipt.pk}
    # The clock claims a refund by locking only its row, so its status is read under that lock.
    unsent = Refund.objects.owed().filter(status__in=UNSENT, **of).order_by("-pk")
    locked = list(unsent.select_for_update(no_key=True, of=("self",)))
    return sorted(locked, key=lambda each: (each.receipt_id != receipt.pk, bool(each.track_id)))
