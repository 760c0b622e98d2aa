"""What bringing an order's parcels costs, and when a fee goes back with the goods."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet

from omachemainproj.compiled_queries import compiled
from orders.models import DeliveryRate, FeeState, OrderTrack, Parcel, TrackEvent, TrackStatus


def find_rate(county: str, way: str) -> DeliveryRate | None:
    """The rate to a county, one way: its own, else the default; None where nothing is brought.

    One query.
    """
    rates = _rates(county, way)
    return rates[0] if rates else None


@compiled
def _rates(county: str, way: str) -> QuerySet[DeliveryRate]:
    # The default is the one without a county, which comes last.
    rates = DeliveryRate.objects.filter(way=way, county__in=[county, ""])
    return rates.order_by("-county")[:1]


def fee_for(rate: DeliveryRate, goods: int) -> int:
    """What one parcel costs whose goods are worth ``goods``, in KES both."""
    is_free = rate.free_above is not None and goods >= rate.free_above
    return 0 if is_free else rate.fee


def fees_of(rate: DeliveryRate, goods: Mapping[int, int]) -> dict[int, int]:
    """What each parcel costs, by seller; ``goods`` is what a seller's are worth, in KES both."""
    return {seller: fee_for(rate, worth) for seller, worth in goods.items()}


def was_fetched(parcel_id: int) -> bool:
    """Whether anything of a parcel was ever fetched from its seller. One query."""
    steps = TrackEvent.objects.filter(track__parcel=parcel_id, track_status=TrackStatus.FETCHED)
    return steps.exists()


def fee_back_with(line: OrderTrack) -> int:
    """KES of its parcel's fee that would go back with a line, were it cancelled at this moment.

    Call it under the order's lock for a figure that stays true.
    """
    if line.parcel_id is None:
        return 0
    others = OrderTrack.objects.filter(parcel=line.parcel_id).active().exclude(pk=line.pk)
    if others.exists() or was_fetched(line.parcel_id):
        return 0
    held = Parcel.objects.with_fee(FeeState.HELD).filter(pk=line.parcel_id)
    return held.values_list("fee", flat=True).first() or 0
