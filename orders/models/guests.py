"""Orders of guests that somebody has proved to be theirs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .orders import Order


class JoinedOrder(models.Model):
    """A guest's order became an account's, whose person proved its phone. Never undone.

    Triggers refuse to change or delete it. What was agreed names the guest (``Order.guest``), and
    this says why the order has another buyer now.
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
