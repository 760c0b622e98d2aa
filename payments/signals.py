"""Where an order's birth asks for its money, and a line's way moves it.

The whole map is in orders.signals.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from orders.models import Order, OrderTrack

from .checkout.stk_push import request_payment
from .payouts.earnings import update_seller_earnings


@receiver(post_save, sender=Order, dispatch_uid="payments.request_payment_of_new_order")
def request_payment_of_new_order(instance: Order, created: bool, raw: bool, **kwargs: Any) -> None:
    """An order was placed: its money is asked for."""
    if created and instance.is_unpaid and not raw:
        request_payment(instance)


@receiver(post_save, sender=OrderTrack, dispatch_uid="payments.money_follows_line")
def money_follows_line(instance: OrderTrack, created: bool, raw: bool, **kwargs: Any) -> None:
    """A line was fetched, or cancelled after it was paid: its money moves."""
    if not created and not raw:
        update_seller_earnings(instance)
