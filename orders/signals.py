"""The signals of the shop's business, and what each of them causes:

    Order created           ->  payments: request_payment_of_new_order   ->  request_payment
    Order due a refund      ->  payments: close_order_reversed_by_mpesa  ->
                                                               mark_refunded_if_reversed
    OrderPayment confirmed  ->  payments: pay_order_of_confirmed_payment ->  mark_order_paid
    Order, status changed   ->  orders: update_lines_of_saved_order      ->  sync_lines
    Order paid              ->  orders: take_stock_of_paid_order         ->  take_stock_of_order
    OrderTrack fetched,     ->  payments: settle_saved_line              ->  settle_moved_line
      delivered, or cancelled after paid
      or its price reduced  ->  (the same)                               ->  follow_reductions
      or disputed, or not   ->  (the same)                               ->  follow_problem

The receivers are in the signals.py of the app named; orders do not know payments. Each runs inside
the transaction of the save and reads the status a row has, not how it changed, so saving a row
again changes nothing. None of them uses the network. ``update()`` and ``bulk_create()`` send no
signals, which is why they refuse to confirm a payment or to fetch a line.

One receiver follows no row and runs after the commit: when a user verifies a phone, guests' orders
with it join their account (``join_orders_of_verified_phone``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts.signals import phone_proved

from .joining import join_orders
from .lifecycle import LINE_STATUS_AFTER, sync_lines, take_stock_of_order
from .models import Order


@receiver(post_save, sender=Order, dispatch_uid="orders.update_lines_of_saved_order")
def update_lines_of_saved_order(instance: Order, created: bool, raw: bool, **kwargs: Any) -> None:
    """Give an order's lines the status that follows from the order's."""
    if instance.payment_status in LINE_STATUS_AFTER and not created and not raw:
        sync_lines(instance)


@receiver(post_save, sender=Order, dispatch_uid="orders.take_stock_of_paid_order")
def take_stock_of_paid_order(instance: Order, created: bool, raw: bool, **kwargs: Any) -> None:
    """Take a paid order's held goods out of stock."""
    if instance.is_paid and not created and not raw:
        take_stock_of_order(instance)


@receiver(phone_proved, dispatch_uid="orders.join_orders_of_verified_phone")
def join_orders_of_verified_phone(phone: str, now: datetime, **kwargs: Any) -> None:
    """Join guests' orders with a verified phone to its account."""
    join_orders(phone, now)
