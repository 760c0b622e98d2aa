"""Creates refunds, and drops those that are no longer due. handler.py handles how they end.

Locks: the order first, then the refund.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from orders.fulfilment import mark_line_refunded
from orders.lifecycle import mark_order_refunded, mark_refund_due
from orders.models import LateRefusal, Order, OrderTrack
from orders.models.notifications import NotificationKind
from orders.notifications.notify import notify
from payments import ledger
from payments.checkout.failures import refund_explanation
from payments.evidence import request_confirmation, update_order_doubt
from payments.models import (
    DOUBTFUL,
    OrderBalance,
    Provider,
    Receipt,
    Refund,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Verification,
    order_balance,
)
from payments.payment_matching import is_undecided

from .routes import Route, route_to_phone, why_no_route


@transaction.atomic
def refund_excess(order_id: int) -> None:
    """Refund money credited to an order beyond what the shop may keep. Safe to repeat.

    Nothing while the order is unpaid; the excess over its remaining price once it is paid;
    everything but earned delivery fees once it is closed. Late money is offered to the order first:
    ``orders.lifecycle.mark_order_paid`` reserves an expired order's goods again if it can. The
    clock sends each refund.
    """
    refund_excess_locked(lock_row(Order, order_id))


def refund_excess_locked(
    order: Order,
    *,
    cancelled_line: OrderTrack | None = None,
    reason: RefundReason | None = None,
    line: OrderTrack | None = None,
    money: OrderBalance | None = None,
) -> None:
    """``refund_excess`` inside a transaction that holds the order's lock already.

    ``cancelled_line`` is the line that was just cancelled and whose money this is. ``reason`` is
    why else part of the price was just given back (``payments.models.given_back``), and ``line``
    the line it was for, if any. ``money`` is the order's balance, if the caller has read it.
    """
    if order.is_unpaid:
        return
    money = money or order_balance(order.pk)
    excess = money.credited - money.needed(order)
    if money.waiting:
        order.receipts.filter(waiting=True).update(waiting=False)
    if excess > 0 and order.is_paid and cancelled_line is None and reason is None:
        # Nothing was given back, so money came.
        excess -= _pay_write_offs(order, excess)
    if excess <= 0:
        return
    cause = reason or (RefundReason.EXCESS if cancelled_line is None else RefundReason.RETURNED)
    if not order.is_paid:
        cause = reason or _cause_of_closed(order, money.credited)
        mark_refund_due(order)
        if cancelled_line is None and reason is None:
            _notify_late_refund(order, excess, cause)
    for receipt, amount in _allocate(order, excess):
        create_refund(receipt, amount, cause, line=cancelled_line or line)
        excess -= amount
    if excess:
        reverse_write_off(order, excess)
        mark_refunded_if_none_outstanding(order)


def _pay_write_offs(order: Order, excess: int) -> int:
    """Let an excess pay for what the shop has written off of an order, and show it to staff, who
    may have asked for it or be about to cancel the goods. Returns how much of it, in KES."""
    paid = reverse_write_off(order, excess)
    came = order.receipts.exclude(verification=Verification.NEVER_CAME).order_by("-pk")
    if paid and (latest := came.first()) is not None and not latest.unacknowledged:
        latest.note = f"{format_kes(paid)} that were written off of its order are paid now."
        latest.unacknowledged = True
        latest.save(update_fields=["note", "unacknowledged"])
    return paid


#: The reason of the refund, by why the order stayed closed.
_CAUSE_OF_REFUSAL: dict[str, RefundReason] = {
    LateRefusal.CANCELLED: RefundReason.CANCELLED,
    LateRefusal.TOO_LATE: RefundReason.TOO_LATE,
    LateRefusal.PAID_AGAIN: RefundReason.PAID_AGAIN,
    LateRefusal.OFF_SALE: RefundReason.OFF_SALE,
    LateRefusal.GOODS_GONE: RefundReason.GOODS_GONE,
}


def _cause_of_closed(order: Order, credited: int) -> RefundReason:
    """Why all money of a closed order is refunded; ``credited`` is the total, in KES.

    ``orders.lifecycle.mark_order_paid`` recorded why late money that covered the price did not buy
    the goods (``Order.late_refusal``). Where it recorded nothing, the goods are gone.
    """
    if order.was_cancelled_by_buyer:
        return RefundReason.CANCELLED
    if credited < order.amount:
        return RefundReason.SHORT
    # Read again: another instance of the order may have been saved with it.
    decided = Order.objects.values_list("late_refusal", flat=True).get(pk=order.pk)
    return _CAUSE_OF_REFUSAL.get(decided, RefundReason.GOODS_GONE)


def _notify_late_refund(order: Order, amount: int, cause: RefundReason) -> None:
    """Notify the buyer that money for a closed order is refunded, and why."""
    # Money may arrive more than once: notify each time.
    last = order.receipts.order_by("-pk").values_list("pk", flat=True).first()
    notify(
        NotificationKind.GOES_BACK,
        key=f"goes_back:receipt:{last}",
        order_id=order.pk,
        amount=amount,
        why=refund_explanation(cause),
    )


@transaction.atomic
def refund_unmatched(receipt_id: int, *, actor_id: int | None = None) -> Refund:
    """Refund a receipt in suspense to its payer, as staff decided; ``actor_id`` is the id of who
    did.

    Raises NothingToRefund.
    """
    receipt = lock_row(Receipt, receipt_id)
    left = unrefunded(receipt)
    if is_undecided(receipt):
        raise NothingToRefund(
            "This may be the payment for an order's prompt whose M-Pesa receipt number is not "
            "known yet. Decide that first, or wait for the number."
        )
    if receipt.order_id is not None or left <= 0:
        raise NothingToRefund(f"{receipt} is already matched to an order or is being refunded.")
    if receipt.verification in DOUBTFUL:
        raise NothingToRefund(f"{receipt} is in doubt. Decide first whether it arrived.")
    return create_refund(receipt, left, RefundReason.STAFF, actor_id=actor_id)


class NothingToRefund(ValueError):
    """The receipt is refunded already, or may pay an order. Its text can be shown to staff."""


def drop_unsent_refunds(receipt: Receipt, *, why: str = "The money belongs to an order.") -> bool:
    """Drop the refunds of a receipt that is merged into another, if none was sent.

    Call inside a transaction that holds the locks of the receipt and of its order, if it has one.
    Returns False, and drops nothing, if any of them may have been sent. What M-Pesa reversed by
    itself stays for the caller.
    """
    Refund.objects.lock_all_of(receipt)
    outside = set(receipt.refunds.done_outside())
    refunds = [each for each in receipt.refunds.order_by("pk") if each not in outside]
    going = [refund for refund in refunds if refund.status != TransferStatus.DROPPED]
    unsent = (TransferStatus.DUE, TransferStatus.REFUSED)
    if any(each.replaces_id or each.sent_at or each.status not in unsent for each in going):
        return False
    for refund in going:
        drop_refund(refund, why)
    return True


def drop_refund(refund: Refund, why: str) -> None:
    """Drop a refund that was not sent. Call inside a transaction that holds its lock."""
    refund.drop(why)
    ledger.post_refund_dropped(refund)


def create_refund(
    receipt: Receipt,
    amount: int,
    cause: str,
    *,
    line: OrderTrack | None = None,
    actor_id: int | None = None,
) -> Refund:
    """Create a refund of ``amount`` KES of a receipt, by a method that can be used, and post it as
    due.

    ``line`` is the order line whose money it is, if any. The refund is sent once the receipt is
    confirmed; M-Pesa is queried about one that is not. ``actor_id`` is the id of the person who
    decided it, who cannot approve it too.

    Call inside a transaction that holds the lock of the receipt's order, or of the receipt.
    """
    # One that was dropped before it was sent cannot have reversed it.
    other = receipt.refunds.exclude(status=TransferStatus.DROPPED, sent_at__isnull=True)
    is_whole = amount == receipt.amount and not other.exists()
    # M-Pesa reverses payments only, and a returned transfer is not one.
    if is_whole and receipt.provider == Provider.MPESA and not receipt.is_returned_transfer:
        refund = _create(receipt, amount, cause, Route(RefundMethod.REVERSAL), line, actor_id)
    else:
        refund = _create(receipt, amount, cause, route_to_phone(receipt, amount), line, actor_id)
    ledger.post_refund_due(refund)
    if not receipt.is_confirmed:
        request_confirmation([receipt])
    return refund


def replace_reversals_with_b2c(receipt: Receipt) -> None:
    """Replace unsent reversals of a returned transfer by refunds to the phone.

    It was not a payment, and M-Pesa reverses payments only. Call inside a transaction that holds
    the locks of the receipt and of its order, if it has one.
    """
    Refund.objects.lock_all_of(receipt)
    unsent = receipt.refunds.owed().filter(way=RefundMethod.REVERSAL, status=TransferStatus.DUE)
    for refund in unsent.filter(sent_at__isnull=True).order_by("pk"):
        drop_refund(refund, "A transfer was returned; it is sent to the phone instead.")
        create_refund(
            receipt, refund.amount, refund.cause, line=refund.track, actor_id=refund.author_id
        )


def who_typed(receipt: Receipt, phone: str) -> int | None:
    """The id of the staff member who typed this number, if no provider has shown it."""
    return receipt.phone_by_id if phone and phone == receipt.phone else None


def needs_approval(way: str, amount: int, typed_by: int | None) -> bool:
    """Whether a second person has to approve a refund of ``amount`` KES by this ``RefundMethod``.

    One that is large, unless staff make it on the portal, or that goes to a number a staff member
    typed, by id.
    """
    is_large = way != RefundMethod.PORTAL and amount > settings.REFUND_APPROVAL_ABOVE
    return is_large or typed_by is not None


def _create(
    receipt: Receipt,
    amount: int,
    cause: str,
    route: Route,
    line: OrderTrack | None,
    actor_id: int | None,
) -> Refund:
    # If no method works, staff decide from the start.
    status = TransferStatus.REFUSED if route.way == RefundMethod.PORTAL else TransferStatus.DUE
    # Before staff refund it on the portal, M-Pesa is queried whether the payment still stands.
    queries_before_portal = (
        status == TransferStatus.REFUSED and receipt.provider == Provider.MPESA and receipt.number
    )
    typed_by = who_typed(receipt, route.phone)
    waits = needs_approval(route.way, amount, typed_by)
    is_next = not waits and status == TransferStatus.DUE
    return Refund.objects.create(
        receipt=receipt,
        order_id=receipt.order_id,
        track=line,
        amount=amount,
        cause=cause,
        way=route.way,
        phone=route.phone,
        status=status,
        note="" if status == TransferStatus.DUE else why_no_route(amount),
        needs_approval=waits,
        author_id=actor_id or typed_by,
        next_check_at=timezone.now() if is_next or queries_before_portal else None,
    )


def _allocate(order: Order, excess: int) -> Iterator[tuple[Receipt, int]]:
    """The receipts an excess is taken from, and how much: whole receipts first, the latest first.

    Whole, because M-Pesa reverses only whole payments; the latest, because it was the one too many.
    """
    left = {receipt: unrefunded(receipt) for receipt in order.receipts.order_by("-pk")}
    for receipt in list(left):
        if 0 < left[receipt] == receipt.amount <= excess:
            excess -= receipt.amount
            left[receipt] = 0
            yield receipt, receipt.amount
    for receipt, amount in left.items():
        if excess > 0 and amount > 0:
            part = min(excess, amount)
            excess -= part
            yield receipt, part


def reverse_write_off(order: Order, amount: int) -> int:
    """Reverse write-offs of an order, up to ``amount`` KES. Returns how much was reversed.

    Goods were refunded whose price was partly written off, so the buyer never paid that part; or
    the buyer has paid it since; or a refund that was expected to be a loss was not sent after all.
    """
    left = amount
    for receipt in order.receipts.filter(written_off__gt=0).order_by("pk"):
        part = min(receipt.written_off, left)
        if part:
            ledger.post_write_off_reversal(receipt, part)
            receipt.written_off, left = receipt.written_off - part, left - part
            receipt.save(update_fields=["written_off"])
            if receipt.verification == Verification.NEVER_CAME:
                update_order_doubt(receipt)
    return amount - left


def unrefunded(receipt: Receipt) -> int:
    """KES of a receipt that are neither refunded nor due to be."""
    owed: int | None = receipt.refunds.owed().aggregate(total=Sum("amount"))["total"]
    return receipt.amount - (owed or 0)


def mark_lines_refunded(lines: Iterable[int]) -> None:
    """Mark cancelled lines, by id, as refunded if a refund of theirs was made and none is due: what
    was due by another was dropped.

    Call inside a transaction that holds the order's lock.
    """
    for line in sorted(lines):
        theirs = Refund.objects.owed().filter(track=line)
        made = theirs.filter(status=TransferStatus.DONE).exclude(cause=RefundReason.REDUCED)
        if made.exists() and not theirs.not_done().exists():
            mark_line_refunded(line)


def mark_refunded_if_none_outstanding(order: Order) -> None:
    """Mark an order that is due a refund as refunded if none of its refunds is outstanding."""
    if not Refund.objects.outstanding().filter(order=order.pk).exists():
        mark_order_refunded(order)


def mark_refunded_if_reversed(order: Order) -> None:
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
