"""Parcels as the API returns them. serializers.py describes the same shapes."""

from __future__ import annotations

from typing import Any

from accounts.counties import County
from orders.collection_codes import tries_left
from orders.models import Parcel

from .actions import offered
from .queries import ParcelRow, Reader


def represent_parcel(row: ParcelRow, reader: Reader) -> dict[str, Any]:
    """Return a parcel, from ``read_rows``, for a user who may see it; times in UTC, no prices.

    Collection place and destination have what this reader needs, and null for the rest
    (docs/delivery.md).
    """
    parcel = row.parcel
    return {
        "id": parcel.pk,
        "order": parcel.order.reference,
        "status": str(row.status),
        "mine": parcel.agent_id == reader.user.pk,
        "claimed_at": parcel.claimed_at,
        "since": row.since,
        "arrived_at": parcel.arrived_at,
        "lines": [
            {
                "id": line.pk,
                "name": line.name,
                "number": line.number,
                "track_status": line.track_status,
            }
            for line in row.lines
        ],
        "collect": represent_collection(row, reader),
        "deliver": represent_destination(parcel, reader),
        "actions": list(
            offered(parcel, row.status, reader.user, at_point=reader.is_at_point(parcel))
        ),
        "code_tries": tries_left(parcel.code_misses),
    }


def represent_collection(row: ParcelRow, reader: Reader) -> dict[str, Any]:
    """Return where a parcel is collected; agents of its pick-up point see only the seller."""
    seller, place = row.parcel.seller, row.place
    if not reader.sees_seller(row.parcel):
        return {"name": seller.username, **dict.fromkeys(_PLACE)}
    if place is None:
        return {"name": seller.username, **dict.fromkeys(_PLACE), "phone": seller.phone or None}
    return {
        "name": f"{place.recipient} ({seller.username})",
        "phone": place.phone,
        "county": place.county,
        "county_name": County(place.county).label,
        "area": place.area,
        "directions": place.directions,
    }


_PLACE = ("phone", "county", "county_name", "area", "directions")


def represent_destination(parcel: Parcel, reader: Reader) -> dict[str, Any]:
    """Return a parcel's destination and recipient."""
    delivery = parcel.order.delivery
    point = delivery.pickup_point
    return {
        "way": delivery.way,
        "recipient": delivery.recipient,
        "phone": delivery.phone if reader.sees_recipient(parcel) else None,
        "county": delivery.county,
        "county_name": County(delivery.county).label,
        "area": delivery.area,
        "directions": delivery.directions,
        "pickup_point": point
        and {
            "id": point.pk,
            "name": point.name,
            "opening_hours": point.opening_hours,
            "phone": point.phone,
        },
    }
