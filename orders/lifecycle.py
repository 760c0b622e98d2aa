"""What happens to an order: placed, paid, expired, cancelled. Its lines: orders.fulfilment.

Locks are taken in one order everywhere: the buyer, a payment, the order, its line, what its seller
is owed (payments), products by id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from omachemainproj.api.errors import Refusal
from omachemainproj.compiled_queries import locked_row
from products import stock
from products.stock import Shortage, StockLine

from .models import Order, OrderTrack, PaymentStatus, TrackEvent, TrackStatus
from .notifications.notify import notify_order_paid

logger = logging.getLogger(__name__)

#: Ringing again prolongs a hold up to this many times its usual length.
MAX_HOLD_FACTOR = 2
#: Overdue orders freed in one round of the clock.
EXPIRED_PER_ROUND = 500

#: What an order's status says about lines that are still where the status before left them.
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
    """The order is past the point where this could be done."""

    code = "order_closed"
    message = "This order is no longer waiting for its payment."


def hold_time() -> timedelta:
    """How long goods are held for an unpaid order."""
    return timedelta(minutes=settings.ORDER_HOLD_MINUTES)


@transaction.atomic
def mark_order_paid(order_id: int, *, credited: Callable[[], int]) -> None:
    """Move an order on once its money has arrived. Safe to repeat.

    ``credited`` tells, asked under the order's lock, how many KES have come for it. What does not
    cover its amount changes nothing yet; what does is never refused, for it is already here. An
    order that expired or was cancelled meanwhile takes its goods again where all of them are still
    free; else its money is owed back.
    """
    order = _locked(order_id)
    if not order.may_become(PaymentStatus.PAID) or credited() < order.amount:
        return
    if order.payment_status == PaymentStatus.REQUESTED or _hold_again(order):
        _move(order, PaymentStatus.PAID)
        notify_order_paid(order_id)
    else:
        _move(order, PaymentStatus.REFUND_DUE)


def mark_refund_due(order: Order) -> None:
    """Note that money which came for a closed order is owed back. Safe to repeat.

    Call inside a transaction that holds the order's lock. Changes nothing for an order that is
    unpaid or paid.
    """
    if order.is_closed and order.payment_status != PaymentStatus.REFUND_DUE:
        _move(order, PaymentStatus.REFUND_DUE)


def close_if_all_returned(order: Order) -> None:
    """Note that no line of a paid order is left to be delivered: all its money is owed back.

    Call inside a transaction that holds the order's lock.
    """
    if order.is_paid and not order.tracks.filter(returned=False).exists():
        _move(order, PaymentStatus.REFUND_DUE)


def mark_order_refunded(order: Order) -> None:
    """Note that all that was owed back for an order is back. Safe to repeat.

    Call inside a transaction that holds the order's lock.
    """
    if order.payment_status == PaymentStatus.REFUND_DUE:
        _move(order, PaymentStatus.REFUNDED)


def _hold_again(order: Order) -> bool:
    """Hold a closed order's goods again, all of them or none; say whether it could be done."""
    try:
        with transaction.atomic():
            stock.hold(_lines(order), listed_only=False)
    except Shortage:
        return False
    return True


@transaction.atomic
def cancel_order(order_id: int) -> Order:
    """Give an unpaid order up and free its goods. Safe to repeat.

    Raises NotUnpaid when it is paid or expired.
    """
    order = _locked(order_id)
    if order.payment_status == PaymentStatus.CANCELLED:
        return order
    if not order.is_unpaid:
        raise NotUnpaid()
    _move(order, PaymentStatus.CANCELLED)
    stock.release(_lines(order))
    return order


@transaction.atomic
def expire_order(order_id: int, *, now: datetime) -> bool:
    """Expire an unpaid order whose time is over, and free its goods. Safe to repeat.

    Returns whether it expired now.
    """
    order = _locked(order_id)
    if not order.is_unpaid or order.expires_at > now:
        return False
    _move(order, PaymentStatus.EXPIRED)
    stock.release(_lines(order))
    return True


def expire_overdue(*, now: datetime | None = None, product_ids: list[int] | None = None) -> int:
    """Expire the orders whose time is over; with ``product_ids``, those that hold these products.

    One transaction an order, at most 500 a call. Returns how many expired. Safe to repeat,
    anywhere, at once.
    """
    now = now or timezone.now()
    overdue = Order.objects.overdue(now)
    if product_ids is not None:
        overdue = overdue.filter(tracks__product__in=product_ids).distinct()
    order_ids = list(overdue.order_by("pk").values_list("pk", flat=True)[:EXPIRED_PER_ROUND])
    return sum(_try_to_expire(order_id, now) for order_id in order_ids)


def _try_to_expire(order_id: int, now: datetime) -> bool:
    """Expire one of many: one that cannot be now does not keep the others from it."""
    try:
        return expire_order(order_id, now=now)
    except DatabaseError:
        logger.exception("order %s could not be expired; the next round tries again", order_id)
        return False


def extend_hold(order: Order, *, at_least: timedelta, now: datetime) -> None:
    """Move an unpaid order's expiry to ``at_least`` from now, within its hard limit.

    Call inside a transaction that holds the order's lock.
    """
    expires_at = min(order.held_until, max(order.expires_at, now + at_least))
    if expires_at != order.expires_at:
        order.expires_at = expires_at
        order.save(update_fields=["expires_at"])


def sync_lines(order: Order) -> None:
    """Bring the lines of an order to what its status says, each with its event. Safe to repeat.

    Lines that are further on their way are left alone.
    """
    status, left_behind = LINE_STATUS_AFTER[order.payment_status]
    behind = order.tracks.filter(track_status__in=left_behind)
    if order.is_paid:
        # What was cancelled by itself stays so, though its order is paid.
        behind = behind.filter(returned=False)
    track_ids = list(behind.order_by("pk").values_list("pk", flat=True))
    if not track_ids:
        return
    OrderTrack.objects.filter(pk__in=track_ids).update(
        track_status=status, updated_at=timezone.now()
    )
    TrackEvent.objects.bulk_create(
        TrackEvent(track_id=track_id, track_status=status) for track_id in track_ids
    )


def take_stock_of_order(order: Order) -> None:
    """Let a paid order's held goods leave the shelf. Safe to repeat."""
    stock.take(_lines(order), reference=f"order:{order.pk}")


def _locked(order_id: int) -> Order:
    return locked_row(Order, order_id)


def _move(order: Order, status: str) -> None:
    """Move an order's status; its lines and its stock follow (see orders.signals)."""
    if not order.may_become(status):
        raise ValueError(f"an order cannot go from {order.payment_status} to {status}")
    order.payment_status = status
    order.save(update_fields=["payment_status"])


def _lines(order: Order) -> list[StockLine]:
    rows = order.tracks.values_list("product_id", "number")
    return [StockLine(product_id, number) for product_id, number in rows]
