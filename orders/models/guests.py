"""Guests' orders that have joined an account."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .orders import Order


class JoinedOrder(models.Model):
    """Records that a guest's order joined the account that verified its phone. Never undone.

    Triggers refuse to change or delete it. The agreement names the guest (``Order.guest``); this
    row explains why the order has another buyer now.
    """

    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, primary_key=True, related_name="joined"
    )
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"order {self.order_id}, by {self.account_id}"
