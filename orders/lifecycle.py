"""Status changes of an order: paid, cancelled, expired, refund due, refunded.

Orders are placed in orders.cashout, single lines are moved in orders.fulfilment. The order of locks
is in docs/architecture.md (Locks). Three cases lock a user after an order: goods that are reserved
again, a guest's order that joins an account (orders.joining), and the phone recorded by a first
payment (accounts.contacts). That is safe: a transaction that holds a user waits for nothing that
these hold by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least
from django.utils import timezone

from accounts.models import User
from omachemainproj.api.errors import Refusal
from omachemainproj.compiled_queries import Fixed, Update, compiled, compiled_update_of
from omachemainproj.inserts import insert
from omachemainproj.locking import lock_row
from omachemainproj.rounds import do_each
from products import stock
from products.models import Product
from products.stock import Shortage, StockLine

from .hold_limits import PROMPT_TIME
from .joining import join_if_proved
from .models import (
    LateRefusal,
    Order,
    OrderQuerySet,
    OrderTrack,
    PaymentStatus,
    TrackEvent,
    TrackStatus,
)
from .notifications.notify import notify_order_paid

#: Retried payments can extend a hold to this multiple of its first length.
MAX_HOLD_FACTOR = 2
#: Time to try again or pay manually after a prompt ended without a payment.
HOLD_AFTER_FAILURE = timedelta(minutes=5)
#: An open prompt protects a hold from other buyers at most this long after the order was placed,
#: however many prompts its buyer requests.
MAX_EXCLUSIVE_HOLD = 2 * PROMPT_TIME
#: Money that arrives later than this after its order was closed is refunded.
LATE_MONEY_WITHIN = timedelta(days=1)
#: Limits of one call of expire_unpaid_orders: number of orders, and seconds until the last start.
EXPIRED_PER_ROUND, EXPIRING_SECONDS = 500, 10.0

#: By new status of an order: the status its lines get, and the statuses from which they get it.
#: Lines in other statuses are left alone.
LINE_STATUS_AFTER: dict[str, tuple[str, tuple[str, ...]]] = {
    PaymentStatus.PAID: (TrackStatus.PAID, (TrackStatus.CREATED, TrackStatus.CANCELLED)),
    PaymentStatus.CANCELLED: (TrackStatus.CANCELLED, (TrackStatus.CREATED,)),
    PaymentStatus.EXPIRED: (TrackStatus.CANCELLED, (TrackStatus.CREATED,)),
    PaymentStatus.REFUNDED: (
        TrackStatus.REFUNDED,
        (TrackStatus.CREATED, TrackStatus.PAID, TrackStatus.CANCELLED),
    ),
}


class NotUnpaid(Refusal):
    """The order is already paid, cancelled, expired or refunded."""

    code = "order_closed"
    message = "This order is no longer waiting for payment."


@transaction.atomic(savepoint=False)
def mark_order_paid(
    order_id: int, *, credited: Callable[[], int], locked: Order | None = None
) -> None:
    """Mark an order as paid if the credited amount covers it. Safe to repeat.

    ``locked`` is the order, if the caller has read it under its lock in this transaction.
    ``credited`` is called under the order's lock and returns KES. A smaller amount does not pay
    the order, but from half of it on other buyers can no longer preempt the hold.

    Money that arrived is never rejected. For an order that expired or was cancelled by staff
    within LATE_MONEY_WITHIN, the goods are reserved again if all of them are still on sale and
    available, and the buyer has not paid for any of the same products since. Otherwise, or if the
    buyer cancelled it, the order becomes due a refund, and keeps the reason (``late_refusal``).
    """
    order = locked or lock_row(Order, order_id)
    if not order.may_become(PaymentStatus.PAID):
        return
    came = credited()
    if came < order.amount:
        if order.is_unpaid and 2 * came >= order.amount:
            order.preemptible_after = order.held_until
            order.save(update_fields=["preemptible_after"])
        return
    join_if_proved(order)
    refusal = "" if order.is_unpaid else _reserve_again(order)
    if refusal:
        order.late_refusal = refusal
        _set_status(order, PaymentStatus.REFUND_DUE)
    else:
        _set_status(order, PaymentStatus.PAID)
        notify_order_paid(order_id)


def mark_refund_due(order: Order) -> None:
    """Mark a closed order as due a refund because money arrived for it. Safe to repeat.

    Call inside a transaction that holds the order's lock. Does nothing for an unpaid or paid order.
    """
    if order.is_closed and order.payment_status != PaymentStatus.REFUND_DUE:
        _set_status(order, PaymentStatus.REFUND_DUE)


def mark_refund_due_if_all_returned(order: Order) -> None:
    """Mark a paid order as due a refund once all its lines are cancelled. Safe to repeat.

    Call inside a transaction that holds the order's lock.
    """
    if order.is_paid and not order.tracks.filter(returned=False).exists():
        _set_status(order, PaymentStatus.REFUND_DUE)


def mark_order_refunded(order: Order) -> None:
    """Mark an order that is due a refund as refunded. Safe to repeat.

    Call inside a transaction that holds the order's lock, after checking that none of its refunds
    is outstanding.
    """
    if order.payment_status == PaymentStatus.REFUND_DUE:
        _set_status(order, PaymentStatus.REFUNDED)


def _reserve_again(order: Order) -> str:
    """Reserve a closed order's goods again, all of them or none.

    Not for an order its buyer cancelled or that was closed more than LATE_MONEY_WITHIN ago, not
    for goods that are no longer on sale, and not if the buyer has bought any of its products in
    another order since. Returns "" if that succeeded, otherwise the ``LateRefusal``.
    """
    if order.was_cancelled_by_buyer:
        return LateRefusal.CANCELLED
    if is_too_late(order, timezone.now()):
        return LateRefusal.TOO_LATE
    # If two orders for the same goods are paid late concurrently, the second sees the first.
    lock_row(User, order.buyer_id)
    if OrderTrack.objects.repurchases_of(order).exists():
        return LateRefusal.PAID_AGAIN
    try:
        with transaction.atomic():
            stock.hold(_stock_lines(order))
    except Shortage:
        is_off_sale = order.tracks.filter(product__listed=False).exists()
        return LateRefusal.OFF_SALE if is_off_sale else LateRefusal.GOODS_GONE
    return ""


def is_too_late(order: Order, now: datetime) -> bool:
    """Whether an order was closed too long ago to accept a late payment."""
    return not accepting_late_payment(Order.objects.filter(pk=order.pk), now).exists()


def accepting_late_payment(orders: OrderQuerySet, now: datetime) -> OrderQuerySet:
    """Return those of these closed orders that a late payment may still complete."""
    return orders.closed_since(now - LATE_MONEY_WITHIN)


@transaction.atomic
def cancel_order(order_id: int, *, cancelled_by: str) -> Order:
    """Cancel an unpaid order and release its goods. Safe to repeat; the first actor is kept.

    ``cancelled_by`` is a ``CancelledBy``. Money that arrives for an order its buyer cancelled is
    refunded. Raises NotUnpaid if it is paid or expired.
    """
    order = lock_row(Order, order_id)
    if order.payment_status == PaymentStatus.CANCELLED:
        return order
    if not order.is_unpaid:
        raise NotUnpaid()
    order.cancelled_by = cancelled_by
    _close_and_release(order, PaymentStatus.CANCELLED)
    return order


@transaction.atomic
def expire_order(order_id: int, *, now: datetime) -> bool:
    """Expire an unpaid order whose hold is over, and release its goods. Safe to repeat.

    Returns whether this call expired it.
    """
    order = lock_row(Order, order_id)
    if not order.is_unpaid or order.expires_at > now:
        return False
    _close_and_release(order, PaymentStatus.EXPIRED)
    return True


def expire_unpaid_orders(
    now: datetime | None = None, *, product_ids: list[int] | None = None
) -> int:
    """Expire unpaid orders whose hold is over; with ``product_ids`` only those holding these.

    One transaction per order, at most 500 per call, and none started after ten seconds. Returns
    how many expired. Safe to repeat and to run concurrently.
    """
    now = now or timezone.now()
    overdue = Order.objects.overdue(now)
    if product_ids is not None:
        overdue = overdue.filter(tracks__product__in=product_ids).distinct()
    return do_each(
        partial(expire_order, now=now),
        overdue.order_by("pk").values_list("pk", flat=True),
        at_most=EXPIRED_PER_ROUND,
        seconds=EXPIRING_SECONDS,
    )


def preempt_holds(wanted: Mapping[int, int], *, to: int, now: datetime | None = None) -> int:
    """Expire other buyers' unpaid orders whose prompt is over, to free stock for this buyer.

    ``wanted`` is units by product id, ``to`` the id of the buyer who wants them. Expires nothing
    if all of these orders together do not free enough. One transaction per order. Returns how many
    expired. Safe to repeat and to run concurrently.
    """
    now = now or timezone.now()
    return sum(_preempt_order(order_id, now) for order_id in _orders_to_preempt(wanted, to, now))


def _orders_to_preempt(wanted: Mapping[int, int], to: int, now: datetime) -> list[int]:
    """The orders to expire, those whose prompt ended first before others, and no more than needed.

    Empty if they do not free enough together.
    """
    stock_of = Product.objects.filter(pk__in=list(wanted)).values_list("pk", "item_number", "held")
    missing = {pk: wanted[pk] - (there - held) for pk, there, held in stock_of}
    missing = {product_id: number for product_id, number in missing.items() if number > 0}
    lines = OrderTrack.objects.filter(
        order__in=Order.objects.preemptible(now).exclude(buyer=to), product__in=list(missing)
    )
    chosen: list[int] = []
    rows = lines.order_by("order__preemptible_after", "order").values_list(
        "order", "product", "number"
    )
    for order_id, product_id, number in rows:
        if missing[product_id] > 0:
            missing[product_id] -= number
            chosen.append(order_id)
    return [] if any(number > 0 for number in missing.values()) else list(dict.fromkeys(chosen))


@transaction.atomic
def _preempt_order(order_id: int, now: datetime) -> bool:
    """Expire an unpaid order if, once locked, its prompt is still over; return whether it was."""
    order = lock_row(Order, order_id)
    if not order.is_unpaid or order.preemptible_after > now:
        return False
    order.preempted = True
    order.save(update_fields=["preempted"])
    _close_and_release(order, PaymentStatus.EXPIRED)
    return True


def extend_hold(order: Order, *, at_least: timedelta, now: datetime) -> None:
    """Extend an unpaid order's hold for another prompt, but not beyond ``held_until``.

    The hold lasts at least ``at_least`` from now, and the full length of the first hold if a failed
    prompt had shortened it. Other buyers cannot preempt it while the prompt is open, up to
    MAX_EXCLUSIVE_HOLD. If some of the goods are otherwise sold out, it ends at most
    HOLD_AFTER_FAILURE after that.

    Call inside a transaction that holds the order's lock.
    """
    # Rounded to the second: the times are computed a moment before created_at is set.
    hold = round((order.held_until - order.created_at).total_seconds() / MAX_HOLD_FACTOR)
    first_end = order.held_until - (MAX_HOLD_FACTOR - 1) * timedelta(seconds=hold)
    # An order that was preemptible from the start remains so.
    if order.preemptible_after >= order.created_at:
        preemptible_after = min(now + PROMPT_TIME, order.created_at + MAX_EXCLUSIVE_HOLD)
        order.preemptible_after = max(order.preemptible_after, preemptible_after)
    until = min(order.held_until, max(now + at_least, first_end))
    if order.tracks.filter(product__held__gte=F("product__item_number")).exists():
        until = min(until, order.preemptible_after + HOLD_AFTER_FAILURE)
    order.expires_at = max(order.expires_at, until)
    order.save(update_fields=["expires_at", "preemptible_after"])


def end_prompt(order_id: int, *, now: datetime) -> None:
    """Shorten an unpaid order's hold because its prompt ended without a payment. Safe to repeat.

    The buyer has HOLD_AFTER_FAILURE to try again or pay manually, unless another buyer preempts
    the hold. Does nothing for an order that is half paid, or no longer waits for payment.
    """
    prompted = Order.objects.holding(now).filter(preemptible_after__lte=now + PROMPT_TIME)
    # A half paid order keeps its goods until ``held_until``: no other buyer can preempt them.
    prompted.filter(pk=order_id, preemptible_after__lt=F("held_until")).update(
        expires_at=Least(F("expires_at"), now + HOLD_AFTER_FAILURE),
        preemptible_after=Least(F("preemptible_after"), now),
    )


def sync_lines(order: Order) -> None:
    """Give an order's lines the status that follows from its own, with an event each.

    Lines that have moved further already are left alone. Safe to repeat.
    """
    status, from_statuses = LINE_STATUS_AFTER[order.payment_status]
    # Events in the order of the lines' ids.
    track_ids = sorted(
        _move_lines_behind(order.pk, from_statuses, status, order.is_paid, timezone.now())
    )
    insert(
        [
            TrackEvent(track_id=track_id, track_status=status, cause=cause_of(order))
            for track_id in track_ids
        ]
    )


@compiled_update_of
def _move_lines_behind(
    order: int, behind: Fixed[tuple[str, ...]], status: str, is_paid: Fixed[bool], now: datetime
) -> Update:
    """Update lines to the status from LINE_STATUS_AFTER.

    No receiver of payments reacts to these statuses, so an UPDATE without signals is safe.
    """
    lines = OrderTrack.objects.filter(order=order, track_status__in=behind)
    if is_paid:
        # A line cancelled on its own stays cancelled when its order is paid.
        lines = lines.filter(returned=False)
    return lines, {"track_status": status, "updated_at": now}


def cause_of(order: Order) -> str:
    """Return the StepCause of lines that follow an order: its status, and who cancelled it."""
    has_actor = order.payment_status == PaymentStatus.CANCELLED and order.cancelled_by
    return f"{order.payment_status}_by_{order.cancelled_by}" if has_actor else order.payment_status


def take_stock_of_order(order: Order) -> None:
    """Take a paid order's held goods out of stock. Safe to repeat."""
    stock.take(_stock_lines(order), reference=f"order:{order.pk}")


def _close_and_release(order: Order, status: str) -> None:
    """Close an unpaid order and release the stock it holds."""
    _set_status(order, status)
    stock.release(_stock_lines(order))


def _set_status(order: Order, status: str) -> None:
    """Save an order's new status; lines and stock follow (orders.signals)."""
    if not order.may_become(status):
        raise ValueError(f"an order cannot go from {order.payment_status} to {status}")
    order.payment_status = status
    # The network is needed only while the order holds goods.
    order.network = ""
    order.save(update_fields=["payment_status", "cancelled_by", "network", "late_refusal"])


def _stock_lines(order: Order) -> list[StockLine]:
    return [StockLine(product_id, number) for product_id, number in _goods_of(order.pk)]


@compiled
def _goods_of(order: int) -> QuerySet[OrderTrack, tuple[int, int]]:
    return OrderTrack.objects.filter(order=order).values_list("product_id", "number")
