"""Reads of orders and their lines, named as phrases."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from accounts.models import User

    from .models import Order, OrderTrack  # noqa: F401
    from .models.notifications import Message, Notice  # noqa: F401


TRACK_COLUMNS = (
    "id",
    "buyer_id",
    "order__order_token",
    "product_id",
    "name",
    "product__thumbnail",
    "number",
    "price",
    "amount",
    "seller__username",
    "track_status",
    "collection_code",
    "order__payment_status",
    "created_at",
    "updated_at",
)

#: What a seller sees of a line sold.
SALE_COLUMNS = (
    "id",
    "order__reference",
    "product_id",
    "name",
    "product__thumbnail",
    "number",
    "price",
    "amount",
    "track_status",
    "buyer__first_name",
    "order__mpesa_number",
    "created_at",
    "updated_at",
)
#: Paid for and not delivered: what a seller has to look after.
TO_FULFIL = ("paid", "fetched", "shipping")
#: Paid for, and not given back since.
SOLD = (*TO_FULFIL, "delivered")


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

    def paid_since(self, since: datetime) -> OrderQuerySet:
        """Orders placed since then whose money is here and stays."""
        return self.filter(payment_status="paid", created_at__gte=since)


class OrderTrackQuerySet(models.QuerySet["OrderTrack"]):
    def bought_by(self, user: User | int) -> OrderTrackQuerySet:
        """The buyer's own lines. Buyer views start here and nowhere else."""
        return self.filter(buyer=user)

    def sold_by(self, seller: User | int) -> OrderTrackQuerySet:
        """The seller's own lines. Sellers' views start here and nowhere else."""
        return self.filter(seller=seller)

    def to_fulfil(self) -> OrderTrackQuerySet:
        """Lines that are paid for and not delivered yet."""
        return self.filter(track_status__in=TO_FULFIL)

    def sold_after(self, newest_before: int) -> OrderTrackQuerySet:
        """Lines with ids beyond this one that are paid for."""
        return self.filter(pk__gt=newest_before, track_status__in=SOLD)

    def as_sales(self) -> models.QuerySet[OrderTrack, Any]:
        """Named tuples of what a seller sees of a line (see orders.representations)."""
        return self.values_list(*SALE_COLUMNS, named=True)

    def on_the_road_since(self, since: datetime) -> OrderTrackQuerySet:
        """Lines that have been shipping at least since then, the longest first."""
        return self.filter(track_status="shipping", updated_at__lte=since).order_by("updated_at")

    def update(self, **kwargs: Any) -> int:
        """Refuse to write what payments must hear of: ``update()`` wakes nobody."""
        if kwargs.get("track_status") == "fetched" or kwargs.get("returned"):
            raise TypeError("Move lines one by one, with orders.fulfilment.move_line().")
        return super().update(**kwargs)

    def as_rows(self) -> models.QuerySet[OrderTrack, Any]:
        """Named tuples of what a tracking row shows (see orders.representations)."""
        return self.values_list(*TRACK_COLUMNS, named=True)


class NoticeQuerySet(models.QuerySet["Notice"]):
    def to_compose(self) -> NoticeQuerySet:
        """Things to tell that nobody has put into words yet."""
        return self.filter(composed_at__isnull=True)


class MessageQuerySet(models.QuerySet["Message"]):
    def to_send(self, now: datetime) -> MessageQuerySet:
        """Messages whose time to be sent has come."""
        return self.filter(next_try_at__lte=now)

    def stranded(self) -> MessageQuerySet:
        """Messages that are not known to have been sent, and that nobody will send by itself."""
        return self.filter(state__in=["unknown", "failed"])
