"""Delivery fees: the price of an order's parcels, and when a fee is refunded with a line."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet

from omachemainproj.compiled_queries import compiled
from orders.models import DeliveryRate, FeeState, OrderTrack, Parcel, TrackEvent, TrackStatus


def find_rate(county: str, way: str) -> DeliveryRate | None:
    """Return a county's rate for a delivery method, else the default; None if not delivered to.

    One query.
    """
    rates = _rates(county, way)
    return rates[0] if rates else None


@compiled
def _rates(county: str, way: str) -> QuerySet[DeliveryRate]:
    # The default has an empty county, which sorts last.
    rates = DeliveryRate.objects.filter(way=way, county__in=[county, ""])
    return rates.order_by("-county")[:1]


def fee_for(rate: DeliveryRate, goods: int) -> int:
    """Return the fee of a parcel with goods worth ``goods``; both in KES."""
    is_free = rate.free_above is not None and goods >= rate.free_above
    return 0 if is_free else rate.fee


def fees_of(rate: DeliveryRate, goods: Mapping[int, int]) -> dict[int, int]:
    """Return the fee of each seller's parcel; ``goods`` is the value by seller; both in KES."""
    return {seller: fee_for(rate, worth) for seller, worth in goods.items()}


def was_fetched(parcel_id: int) -> bool:
    """Whether anything of a parcel was ever fetched from its seller. One query."""
    steps = TrackEvent.objects.filter(track__parcel=parcel_id, track_status=TrackStatus.FETCHED)
    return steps.exists()


def fee_back_with(line: OrderTrack) -> int:
    """Return the KES of delivery fee that would be refunded if the line were cancelled now.

    The figure is only stable under the order's lock.
    """
    if line.parcel_id is None:
        return 0
    others = OrderTrack.objects.filter(parcel=line.parcel_id).active().exclude(pk=line.pk)
    if others.exists() or was_fetched(line.parcel_id):
        return 0
    held = Parcel.objects.with_fee(FeeState.HELD).filter(pk=line.parcel_id)
    return held.values_list("fee", flat=True).first() or 0
