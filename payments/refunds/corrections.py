"""Correcting the refunds of a payment whose amount turns out to differ from the one recorded.

Locks: the order first, then the receipt, then its refunds.
"""

from __future__ import annotations

from orders.models import Order
from payments import ledger
from payments.models import Receipt, Refund, RefundReason, order_balance
from payments.models.refunds import UNSENT

from .services import (
    create_refund,
    drop_refund,
    mark_refunded_if_none_outstanding,
    refund_excess_locked,
    unrefunded,
)

LESS_CAME = "The payment's amount was corrected: its refund is created again for what is due now."


def drop_refunds_to_cover(
    receipt: Receipt, order: Order | None, *, missing: int, comes_to: int, why: str = LESS_CAME
) -> tuple[int, list[Refund]]:
    """Drop unsent refunds until ``missing`` KES less are owed back.

    ``comes_to`` is the receipt's corrected amount, in KES: a reversal of any other amount is
    dropped too, because a payment is reversed whole. Returns the KES that no unsent refund covers,
    because they have left or may have, and the refunds that were dropped. The caller replaces those
    (``owe_anew``) once the receipt is corrected.

    Call inside a transaction that holds the locks of the receipt and of its order, if it has one.
    """
    dropped = []
    for refund in _unsent(receipt, order):
        is_misfit = (
            refund.is_reversal and refund.receipt_id == receipt.pk and refund.amount != comes_to
        )
        if missing > 0 or is_misfit:
            drop_refund(refund, why)
            dropped.append(refund)
            missing -= refund.amount
    return max(missing, 0), dropped


def owe_anew(receipt: Receipt, order: Order | None, dropped: list[Refund]) -> None:
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
        mark_refunded_if_none_outstanding(order)


def shortfall_of(order: Order) -> int:
    """The KES an order lacks: below zero, what is still to be refunded of it."""
    money = order_balance(order.pk)
    return money.needed(order) - money.credited


def write_off_shortfall(receipt: Receipt, order: Order) -> None:
    """Write off what an order lacks on one of its receipts: lines whose money is gone, or a double
    refund.

    Call inside a transaction that holds the locks of the order and of the receipt.
    """
    if (missing := shortfall_of(order)) > 0:
        ledger.post_loss(receipt, missing)
        receipt.written_off += missing
        receipt.save(update_fields=["written_off"])


def missing_of_order(order: Order, *, less: int) -> int:
    """The KES an order would lack if ``less`` KES of its credited money had never arrived.

    An unpaid order lacks nothing: it is still waiting for its money.
    """
    if order.is_unpaid:
        return 0
    money = order_balance(order.pk)
    return max(min(money.needed(order) - money.credited + less, less), 0)


def missing_of_suspense(receipt: Receipt, *, comes_to: int) -> int:
    """The KES by which the refunds of money in suspense exceed its corrected amount."""
    return max(receipt.amount - unrefunded(receipt) - comes_to, 0)


def _unsent(receipt: Receipt, order: Order | None) -> list[Refund]:
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
