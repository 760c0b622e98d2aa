"""Where saving a row makes something else happen, all of it:

    Order created            ->  payments: request_payment_of_new_order  ->  request_payment
    OrderPayment confirmed   ->  pay_order_of_confirmed_payment          ->  mark_order_paid
    Order, status changed    ->  tracks_follow_order                     ->  sync_lines
    Order paid               ->  stock_falls_for_paid_order              ->  take_stock_of_order
    OrderTrack fetched       ->  payments: money_follows_line            ->  update_seller_earnings

Each runs inside the transaction of the save that woke it and looks at the state a row is in, not
at how it changed, so saving a row again changes nothing. Nothing here talks to the network. Rows
written with ``update()`` or ``bulk_create()`` wake nobody, which is why payments refuse to be
confirmed that way and lines to be fetched. A line that is cancelled after it was paid wakes the
same receiver: its money goes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from .lifecycle import LINE_STATUS_AFTER, mark_order_paid, sync_lines, take_stock_of_order
from .models import Order

if TYPE_CHECKING:
    from payments.models import OrderPayment


# Named, not imported: payments build on orders, and not the other way round.
@receiver(
    post_save,
    sender="payments.OrderPayment",
    dispatch_uid="orders.pay_order_of_confirmed_payment",
)
def pay_order_of_confirmed_payment(instance: OrderPayment, raw: bool, **kwargs: Any) -> None:
    """Money arrived: the order is paid, if that covers it."""
    if instance.is_confirmed and not raw:
        mark_order_paid(instance.order_id, credited=instance.credited_to_order)


@receiver(post_save, sender=Order, dispatch_uid="orders.tracks_follow_order")
def tracks_follow_order(instance: Order, created: bool, raw: bool, **kwargs: Any) -> None:
    """An order moved: its lines follow."""
    if instance.payment_status in LINE_STATUS_AFTER and not created and not raw:
        sync_lines(instance)


@receiver(post_save, sender=Order, dispatch_uid="orders.stock_falls_for_paid_order")
def stock_falls_for_paid_order(instance: Order, created: bool, raw: bool, **kwargs: Any) -> None:
    """An order is paid: its goods leave the shelf."""
    if instance.is_paid and not created and not raw:
        take_stock_of_order(instance)
