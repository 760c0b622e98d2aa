"""The statuses of an order line, and the groups of them the shop asks for."""

from __future__ import annotations

from django.db import models


class TrackStatus(models.TextChoices):
    """How far a line is, and what people call it on every page."""

    CREATED = "created", "not paid"
    PAID = "paid", "to fetch"
    FETCHED = "fetched", "fetched"
    SHIPPING = "shipping", "on the way"
    DELIVERED = "delivered", "handed over"
    CANCELLED = "cancelled", "cancelled"
    REFUNDED = "refunded", "cancelled, money back"


#: Paid for, and the goods are still to be handed over.
TO_FULFIL = (TrackStatus.PAID, TrackStatus.FETCHED, TrackStatus.SHIPPING)


#: Paid for, and neither cancelled nor refunded since.
SOLD_LINE_STATUSES = (*TO_FULFIL, TrackStatus.DELIVERED)


#: Neither bought nor to be: cancelled by itself or with its order.
CANCELLED_LINE_STATUSES = (TrackStatus.CANCELLED, TrackStatus.REFUNDED)


#: While the buyer is shown the collection code.
CODE_SHOWN = frozenset(TO_FULFIL)


#: While the seller is shown the buyer's number.
PHONE_SHOWN = frozenset(SOLD_LINE_STATUSES)
