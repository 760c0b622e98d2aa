"""What is owed back once a payment turns out to be of another amount than was counted.

Locks: the order first, then the receipt, then its refunds.
"""

from __future__ import annotations

from orders.models import Order
from payments.models import Receipt, Refund, RefundReason, order_balance
from payments.models.refunds import UNSENT

from .services import (
    close_if_nothing_goes_back,
    create_refund,
    drop_refund,
    refund_excess_locked,
    unrefunded,
)

LESS_CAME = "The payment was of another amount: what is owed of it is owed anew."


def drop_unsent(
    receipt: Receipt, order: Order | None, *, missing: int, comes_to: int, why: str = LESS_CAME
) -> tuple[int, list[Refund]]:
    """Owe back no more than came, as far as nothing was sent: ``missing`` KES less.

    ``comes_to`` is what the receipt comes to, in KES: a reversal of another amount is dropped too,
    for a payment is reversed whole. Returns the KES that are missing all the same, since they have
    left or may have, and what was dropped: the caller owes it anew (``owe_anew``) once the receipt
    is written down as it is.

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
    """Owe back what is due in place of refunds that were dropped: of an order what is too much for
    it, of money in suspense what is left of it.

    Call inside a transaction that holds the locks of the receipt and of its order, if it has one.
    """
    if order is None:
        for refund in dropped:
            left = unrefunded(receipt)
            amount = left if refund.is_reversal else min(left, refund.amount)
            if amount > 0:
                create_refund(receipt, amount, refund.cause, by=refund.author_id)
    elif dropped:
        # Of several the last was dropped in part only.
        last = dropped[-1]
        refund_excess_locked(order, given_back=RefundReason(last.cause), of=last.track)
        close_if_nothing_goes_back(order)


def missing_of_order(order: Order, *, less: int) -> int:
    """KES that an order lacks for what has to stay for it, once ``less`` KES of what is counted
    have not come. An unpaid one lacks nothing: it waits for its money."""
    if order.is_unpaid:
        return 0
    money = order_balance(order.pk)
    return max(min(money.needed(order) - money.credited + less, less), 0)


def missing_of_suspense(receipt: Receipt, *, comes_to: int) -> int:
    """KES by which more is owed back of money in suspense than came."""
    return max(receipt.amount - unrefunded(receipt) - comes_to, 0)


def _unsent(receipt: Receipt, order: Order | None) -> list[Refund]:
    """What is owed back and was not sent, locked: of a paid order all of it, for it is one buyer's;
    else the receipt's own, for each payer of a closed order is owed theirs. First the receipt's,
    and what no line is owed, then the latest."""
    is_of_order = order is not None and order.is_paid
    of = {"order": receipt.order_id} if is_of_order else {"receipt": receipt.pk}
    # The clock claims a refund by its own row alone: its status is read under its lock.
    unsent = Refund.objects.owed().filter(status__in=UNSENT, **of).order_by("-pk")
    locked = list(unsent.select_for_update(no_key=True, of=("self",)))
    return sorted(locked, key=lambda each: (each.receipt_id != receipt.pk, bool(each.track_id)))
