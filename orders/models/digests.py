"""Immutable digests of what was agreed when an order was placed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models

from omachemainproj.digests import digest_of

from .orders import Order

#: The columns of an order and its lines that are agreed when it is placed and never change. Adding
#: a column would change every digest: a new column needs a digest of its own. The buyer is the one
#: who placed the order: the guest, even if it has joined an account since (JoinedOrder).
AGREED_OF_ORDER = (
    "buyer_id",
    "order_token",
    "reference",
    "amount",
    "created_at",
    "held_until",
    "idempotency_key",
    "fingerprint",
)
AGREED_OF_LINE = (
    "product_id",
    "buyer_id",
    "seller_id",
    "name",
    "number",
    "price",
    "amount",
    "commission",
    "payment_mpesa_number",
    "collection_code",
    "created_at",
)
#: What is agreed about its delivery, in addition to the parcels' fees. Without recipient and
#: address, which are deleted later (orders.retention).
AGREED_OF_DELIVERY = ("way", "pickup_point_id", "county", "days")
AGREED_OF_PARCEL = ("seller_id", "fee")


class OrderDigest(models.Model):
    """SHA-256 of what was agreed, written when the order is placed.

    Triggers refuse to change or delete it, and ``prove`` recomputes it: a later change of a price,
    seller, commission or collection code is detected, however consistently it was made.
    """

    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, primary_key=True, related_name="digest"
    )
    sha256 = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.sha256


def digest_agreement(order: Sequence[Any], lines: Iterable[Sequence[Any]]) -> str:
    """Return the digest of AGREED_OF_ORDER and the lines' AGREED_OF_LINE, lines in any order."""
    # Sorted by product, of which an order has at most one line each.
    return digest_of([list(order), sorted(map(list, lines), key=lambda line: line[0])])


class DeliveryDigest(models.Model):
    """SHA-256 of what was agreed about an order's delivery; like ``OrderDigest``."""

    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, primary_key=True, related_name="delivery_digest"
    )
    sha256 = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.sha256


def digest_delivery(delivery: Sequence[Any], parcels: Iterable[Sequence[Any]]) -> str:
    """Return the digest of AGREED_OF_DELIVERY and the parcels' AGREED_OF_PARCEL, in any order."""
    # Sorted by seller, of whom an order has one parcel each.
    return digest_of([list(delivery), sorted(map(list, parcels))])
