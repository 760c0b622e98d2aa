"""What was agreed when an order was placed, kept as a digest that nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models

from omachemainproj.digests import digest_of

from .orders import Order

#: What of an order, and of each of its lines, is agreed when it is placed and never changes.
#: Another column changes every digest: it needs a digest of its own, beside this one. The buyer is
#: who placed it: the guest, where one did, whoever proved the phone since (JoinedOrder).
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
#: What is agreed about its delivery, beside the fees of its parcels. Not who takes the goods in,
#: and where: that is forgotten in time (orders.retention).
AGREED_OF_DELIVERY = ("way", "pickup_point_id", "county", "days")
AGREED_OF_PARCEL = ("seller_id", "fee")


class OrderDigest(models.Model):
    """SHA-256 of what was agreed, one an order, written as the order is placed.

    Triggers refuse to change or delete it, and ``prove`` computes it again: a price, a seller, a
    commission or a collection code that is changed later is seen, however consistently.
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
    """The digest of an order's AGREED_OF_ORDER and, in any order, its lines' AGREED_OF_LINE."""
    # By product, of which an order has one line each.
    return digest_of([list(order), sorted(map(list, lines), key=lambda line: line[0])])


class DeliveryDigest(models.Model):
    """SHA-256 of what was agreed about an order's delivery, written with it; as ``OrderDigest``."""

    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, primary_key=True, related_name="delivery_digest"
    )
    sha256 = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.sha256


def digest_delivery(delivery: Sequence[Any], parcels: Iterable[Sequence[Any]]) -> str:
    """The digest of an order's AGREED_OF_DELIVERY and, in any order, its AGREED_OF_PARCEL."""
    # By seller, of whom an order has one parcel each.
    return digest_of([list(delivery), sorted(map(list, parcels))])
