"""Where an order's birth asks for its money; the whole map is in orders.signals."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from orders.models import Order

from .prompts import request_payment


@receiver(post_save, sender=Order, dispatch_uid="payments.request_payment_of_new_order")
def request_payment_of_new_order(instance: Order, created: bool, raw: bool, **kwargs: Any) -> None:
    """An order was placed: its money is asked for."""
    if created and instance.is_unpaid and not raw:
        request_payment(instance)
