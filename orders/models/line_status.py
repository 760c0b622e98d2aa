"""The statuses of an order line, and the groups of them the shop asks for."""

from __future__ import annotations

from django.db import models


class TrackStatus(models.TextChoices):
    """The status of an order line, with the label shown on every page."""

    CREATED = "created", "not paid"
    PAID = "paid", "to fetch"
    FETCHED = "fetched", "fetched"
    SHIPPING = "shipping", "on the way"
    DELIVERED = "delivered", "handed over"
    CANCELLED = "cancelled", "cancelled"
    REFUNDED = "refunded", "cancelled, refunded"


#: Paid, and not delivered yet.
TO_FULFIL = (TrackStatus.PAID, TrackStatus.FETCHED, TrackStatus.SHIPPING)


#: Paid, and neither cancelled nor refunded since.
SOLD_LINE_STATUSES = (*TO_FULFIL, TrackStatus.DELIVERED)


#: Cancelled, alone or with its order.
CANCELLED_LINE_STATUSES = (TrackStatus.CANCELLED, TrackStatus.REFUNDED)


#: Statuses in which the buyer is shown the collection code.
CODE_SHOWN = frozenset(TO_FULFIL)


#: Statuses in which the seller is shown the buyer's phone.
PHONE_SHOWN = frozenset(SOLD_LINE_STATUSES)
