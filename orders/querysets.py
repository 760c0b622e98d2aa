"""Reads of orders and their lines, named as phrases."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from accounts.models import User

    from .models import Order, OrderTrack  # noqa: F401


TRACK_COLUMNS = (
    "id",
    "order__order_token",
    "product_id",
    "name",
    "product__thumbnail",
    "number",
    "price",
    "amount",
    "seller__username",
    "track_status",
    "order__payment_status",
    "created_at",
    "updated_at",
)


class OrderQuerySet(models.QuerySet["Order"]):
    def placed_by(self, user: User) -> OrderQuerySet:
        """The buyer's own orders. Buyer views start here and nowhere else."""
        return self.filter(buyer=user)

    def unpaid(self) -> OrderQuerySet:
        """Orders waiting for their money, whose goods are held."""
        return self.filter(payment_status="requested")

    def overdue(self, now: datetime) -> OrderQuerySet:
        """Unpaid orders whose time is over."""
        return self.unpaid().filter(expires_at__lte=now)


class OrderTrackQuerySet(models.QuerySet["OrderTrack"]):
    def bought_by(self, user: User | int) -> OrderTrackQuerySet:
        """The buyer's own lines. Buyer views start here and nowhere else."""
        return self.filter(buyer=user)

    def as_rows(self) -> models.QuerySet[OrderTrack, Any]:
        """Named tuples of what a tracking row shows (see orders.answers)."""
        return self.values_list(*TRACK_COLUMNS, named=True)
