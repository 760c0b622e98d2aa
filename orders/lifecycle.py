"""Moving an order from status to status: paid, cancelled, expired, refunded.

Placing one is in orders.cashout, moving single lines in orders.fulfilment. Locks are taken in one
order everywhere: the buyer, a payment, the order, its line, its seller's balance (payments),
products by id. Only an order that is held again locks its buyer after itself, as does a guest's
that joins an account (orders.joining), and the phone that a first payment leaves
(accounts.contacts), which is safe: who holds a buyer waits for nothing that either has by then.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least
from django.utils import timezone

from accounts.models import User
from omachemainproj.api.errors import Refusal
from omachemainproj.compiled_queries import Fixed, Update, compiled, compiled_update_of, locked_row
from omachemainproj.inserts import insert
from products import stock
from products.models import Product
from products.stock import Shortage, StockLine

from .hold_limits import PROMPT_TIME
from .joining import join_if_proved
from .models import (
    CancelledBy,
    Order,
    OrderQuerySet,
    OrderTrack,
    PaymentStatus,
    TrackEvent,
    TrackStatus,
)
from .notifications.notify import notify_order_paid

logger = logging.getLogger(__name__)

#: Retried payments extend a hold up to this many times what it was at first.
MAX_HOLD_FACTOR = 2
#: Once a prompt is over without money: time to try again, or to pay by hand.
HOLD_AFTER_FAILURE = timedelta(minutes=5)
#: Nobody else can have the goods while a phone rings, but no longer than this since the order was
#: placed, however often its buyer has phones rung.
MAX_FIRM = 2 * PROMPT_TIME
#: Money that comes later than this after its order was closed goes back.
LATE_MONEY_WITHIN = timedelta(days=1)
#: Orders that one call of expire_unpaid_orders takes; seconds after which it begins no more.
EXPIRED_PER_ROUND, EXPIRING_SECONDS = 500, 10.0

#: By an order's new status: the status its lines get, and the statuses from which they get it.
#: Lines in any other status are left alone.
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
    """The order is paid, cancelled, expired or refunded already."""

    code = "order_closed"
    message = "This order is no longer waiting for its payment."


@transaction.atomic(savepoint=False)
def mark_order_paid(
    order_id: int, *, credited: Callable[[], int], locked: Order | None = None
) -> None:
    """Mark an order as paid once what was credited to it covers its amount. Safe to repeat.

    ``locked`` is the order, for who has read it under its lock in this very transaction.
    ``credited`` is called under the order's lock and returns KES. Less than the order's amount
    does not pay it yet, but from half of it on nobody else can have the goods while they are held.
    Money that has come is never refused: an order that expired, or that staff cancelled within a
    day, gets its goods held again if all of them are still on sale and free and its buyer has not
    paid for any of the same products meanwhile. If not, or if its buyer cancelled it, it is due a
    refund.
    """
    order = locked or locked_row(Order, order_id)
    if not order.may_become(PaymentStatus.PAID):
        return
    came = credited()
    if came < order.amount:
        if order.is_unpaid and 2 * came >= order.amount:
            order.preemptible_after = order.held_until
            order.save(update_fields=["preemptible_after"])
        return
    join_if_proved(order)
    if order.is_unpaid or _hold_again(order):
        _set_status(order, PaymentStatus.PAID)
        notify_order_paid(order_id)
    else:
        _set_status(order, PaymentStatus.REFUND_DUE)


def mark_refund_due(order: Order) -> None:
    """Mark a closed order as due a refund, as money came for it. Safe to repeat.

    Call inside a transaction that holds the order's lock. Changes nothing for an order that is
    unpaid or paid.
    """
    if order.is_closed and order.payment_status != PaymentStatus.REFUND_DUE:
        _set_status(order, PaymentStatus.REFUND_DUE)


def close_if_all_returned(order: Order) -> None:
    """Mark a paid order as due a refund once each of its lines was cancelled. Safe to repeat.

    Call inside a transaction that holds the order's lock.
    """
    if order.is_paid and not order.tracks.filter(returned=False).exists():
        _set_status(order, PaymentStatus.REFUND_DUE)


def mark_order_refunded(order: Order) -> None:
    """Mark an order as refunded once all its refunds are paid. Safe to repeat.

    Call inside a transaction that holds the order's lock.
    """
    if order.payment_status == PaymentStatus.REFUND_DUE:
        _set_status(order, PaymentStatus.REFUNDED)


def _hold_again(order: Order) -> bool:
    """Hold a closed order's goods again, all of them or none; return whether that could be.

    Not for an order that its buyer gave up or that was closed more than a day ago, not for goods
    that were taken off sale, and not where they have bought any of its products with another order
    meanwhile.
    """
    if order.is_given_up or is_too_late(order, timezone.now()):
        return False
    # Of two orders for the same goods that are paid late at once, the second finds the first.
    locked_row(User, order.buyer_id)
    if OrderTrack.objects.bought_instead_of(order).exists():
        return False
    try:
        with transaction.atomic():
            stock.hold(_stock_lines(order))
    except Shortage:
        return False
    return True


def is_too_late(order: Order, now: datetime) -> bool:
    """Whether an order was closed so long ago that money for it goes back, at whatever price."""
    return not taking_late_money(Order.objects.filter(pk=order.pk), now).exists()


def taking_late_money(orders: OrderQuerySet, now: datetime) -> OrderQuerySet:
    """Of closed orders those for which money may still come, and buy the goods again."""
    return orders.closed_since(now - LATE_MONEY_WITHIN)


@transaction.atomic
def cancel_order(order_id: int, *, by: str = CancelledBy.STAFF) -> Order:
    """Cancel an unpaid order and free its goods. Safe to repeat: who did it first is kept.

    ``by`` is a ``CancelledBy``. Money that comes for what its buyer cancelled goes back.

    Raises NotUnpaid when it is paid or expired.
    """
    order = locked_row(Order, order_id)
    if order.payment_status == PaymentStatus.CANCELLED:
        return order
    if not order.is_unpaid:
        raise NotUnpaid()
    order.cancelled_by = by
    _set_status(order, PaymentStatus.CANCELLED)
    stock.release(_stock_lines(order))
    return order


@transaction.atomic
def expire_order(order_id: int, *, now: datetime) -> bool:
    """Expire an unpaid order whose hold is over, and free its goods. Safe to repeat.

    Returns whether it expired now.
    """
    order = locked_row(Order, order_id)
    if not order.is_unpaid or order.expires_at > now:
        return False
    _set_status(order, PaymentStatus.EXPIRED)
    stock.release(_stock_lines(order))
    return True


def expire_unpaid_orders(
    now: datetime | None = None, *, product_ids: list[int] | None = None
) -> int:
    """Expire unpaid orders whose hold is over; with ``product_ids``, those holding such products.

    One transaction an order, at most 500 a call, and none that would begin after ten seconds.
    Returns how many expired. Safe to repeat, anywhere, at once.
    """
    now, began = now or timezone.now(), time.monotonic()
    overdue = Order.objects.overdue(now)
    if product_ids is not None:
        overdue = overdue.filter(tracks__product__in=product_ids).distinct()
    expired = 0
    for order_id in list(overdue.order_by("pk").values_list("pk", flat=True)[:EXPIRED_PER_ROUND]):
        if time.monotonic() - began > EXPIRING_SECONDS:
            break
        try:
            expired += expire_order(order_id, now=now)
        except DatabaseError:
            logger.exception("order %s could not be expired; the next round tries again", order_id)
    return expired


def preempt_holds(wanted: Mapping[int, int], *, to: int, now: datetime | None = None) -> int:
    """Expire unpaid orders of others whose prompt is over, so that this buyer gets what they want.

    ``wanted`` is numbers by product. The longest silent go first, and no more than it takes; none
    where all of them do not suffice. One transaction an order. Returns how many expired. Safe to
    repeat, anywhere, at once.
    """
    now = now or timezone.now()
    stock_of = Product.objects.filter(pk__in=list(wanted)).values_list("pk", "item_number", "held")
    missing = {pk: wanted[pk] - (there - held) for pk, there, held in stock_of}
    missing = {product_id: number for product_id, number in missing.items() if number > 0}
    lines = OrderTrack.objects.filter(
        order__in=Order.objects.yielding(now).exclude(buyer=to), product__in=list(missing)
    )
    yielding: list[int] = []
    rows = lines.order_by("order__preemptible_after", "order").values_list(
        "order", "product", "number"
    )
    for order_id, product_id, number in rows:
        if missing[product_id] > 0:
            missing[product_id] -= number
            yielding.append(order_id)
    if any(number > 0 for number in missing.values()):
        return 0
    return sum(_yield_order(order_id, now) for order_id in dict.fromkeys(yielding))


@transaction.atomic
def _yield_order(order_id: int, now: datetime) -> bool:
    """Expire an unpaid order whose prompt is still over once it is locked."""
    order = locked_row(Order, order_id)
    if not order.is_unpaid or order.preemptible_after > now:
        return False
    order.preempted = True
    order.save(update_fields=["preempted"])
    _set_status(order, PaymentStatus.EXPIRED)
    stock.release(_stock_lines(order))
    return True


def extend_hold(order: Order, *, at_least: timedelta, now: datetime) -> None:
    """Hold an unpaid order's goods on for another prompt, but not beyond ``held_until``.

    That is for ``at_least`` from now, and for all of its first hold, if a prompt that failed had
    cut that short. Nobody else can have them while the phone rings, up to MAX_FIRM; and where some
    of them are sold out otherwise, no ringing holds them on for longer than HOLD_AFTER_FAILURE
    after that.

    Call inside a transaction that holds the order's lock.
    """
    # To the second: an order is made a moment before it is saved.
    hold = round((order.held_until - order.created_at).total_seconds() / MAX_HOLD_FACTOR)
    first_end = order.held_until - (MAX_HOLD_FACTOR - 1) * timedelta(seconds=hold)
    # What could be preempted from the beginning still can.
    if order.preemptible_after >= order.created_at:
        preemptible_after = min(now + PROMPT_TIME, order.created_at + MAX_FIRM)
        order.preemptible_after = max(order.preemptible_after, preemptible_after)
    until = min(order.held_until, max(now + at_least, first_end))
    if order.tracks.filter(product__held__gte=F("product__item_number")).exists():
        until = min(until, order.preemptible_after + HOLD_AFTER_FAILURE)
    order.expires_at = max(order.expires_at, until)
    order.save(update_fields=["expires_at", "preemptible_after"])


def end_prompt(order_id: int, *, now: datetime) -> None:
    """Cut an unpaid order's hold short, as its prompt is over without money. Safe to repeat.

    Its buyer has HOLD_AFTER_FAILURE to try again or to pay by hand, while nobody else wants the
    goods. An order for which half of the money came, or that waits for none, is left alone.
    """
    rang = Order.objects.holding(now).filter(preemptible_after__lte=now + PROMPT_TIME)
    # The goods of one that is half paid are nobody else's up to the end.
    rang.filter(pk=order_id, preemptible_after__lt=F("held_until")).update(
        expires_at=Least(F("expires_at"), now + HOLD_AFTER_FAILURE),
        preemptible_after=Least(F("preemptible_after"), now),
    )


def sync_lines(order: Order) -> None:
    """Give an order's lines the status that goes with its own, each with an event. Safe to repeat.

    Lines that were moved further by themselves are left alone.
    """
    status, from_statuses = LINE_STATUS_AFTER[order.payment_status]
    # In the order of their keys, as everybody reads them.
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
    """To what an order's status brings: none of that is a seller's money (LINE_STATUS_AFTER)."""
    lines = OrderTrack.objects.filter(order=order, track_status__in=behind)
    if is_paid:
        # A line that was cancelled by itself stays cancelled, though its order is paid.
        lines = lines.filter(returned=False)
    return lines, {"track_status": status, "updated_at": now}


def cause_of(order: Order) -> str:
    """What of an order its lines follow (StepCause): its status, and who cancelled it."""
    is_told = order.payment_status == PaymentStatus.CANCELLED and order.cancelled_by
    return f"{order.payment_status}_by_{order.cancelled_by}" if is_told else order.payment_status


def take_stock_of_order(order: Order) -> None:
    """Take a paid order's held goods out of stock. Safe to repeat."""
    stock.take(_stock_lines(order), reference=f"order:{order.pk}")


def _set_status(order: Order, status: str) -> None:
    """Save an order's new status; its lines and its stock follow (orders.signals)."""
    if not order.may_become(status):
        raise ValueError(f"an order cannot go from {order.payment_status} to {status}")
    order.payment_status = status
    # Where it came from counted while it held goods.
    order.network = ""
    order.save(update_fields=["payment_status", "cancelled_by", "network"])


def _stock_lines(order: Order) -> list[StockLine]:
    return [StockLine(product_id, number) for product_id, number in _goods_of(order.pk)]


@compiled
def _goods_of(order: int) -> QuerySet[OrderTrack, tuple[int, int]]:
    return OrderTrack.objects.filter(order=order).values_list("product_id", "number")
