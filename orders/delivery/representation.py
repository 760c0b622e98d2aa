"""Where an order goes, as its buyer is shown it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from accounts.counties import County
from omachemainproj.phones import mask_phone
from orders.models import OrderDelivery, OrderTrack


def delivery_of(line: OrderTrack) -> OrderDelivery | None:
    """Where the order of a line goes, with its point; None where that was not agreed.

    One query, and none where the line is in no parcel.
    """
    if line.parcel_id is None:
        return None
    return OrderDelivery.objects.select_related("pickup_point").get(order=line.order_id)


def deliveries_of(orders: Collection[int]) -> dict[int, OrderDelivery]:
    """Where these orders go, by the order's id; only those for which that was agreed.

    One query, and none for no order.
    """
    if not orders:
        return {}
    rows = OrderDelivery.objects.select_related("pickup_point").filter(order__in=orders)
    return {row.order_id: row for row in rows}


def represent_delivery_short(delivery: OrderDelivery | None, fee: int) -> dict[str, Any] | None:
    """Where an order goes, in a row of a list; None where that was not agreed. ``fee`` in KES."""
    if delivery is None:
        return None
    return {
        "way": str(delivery.way),
        "place": _place_of(delivery),
        "days": delivery.days,
        "fee": fee,
    }


def _place_of(delivery: OrderDelivery) -> str:
    return ", ".join(filter(None, [delivery.area, County(delivery.county).label]))


def represent_delivery_to_bearer(delivery: OrderDelivery | None, fee: int) -> Any:
    """The same for whoever has the token of a guest's order: without who takes the goods in and,
    but for a point, which is a public place, where."""
    shown = represent_delivery(delivery, fee)
    if delivery is None:
        return shown
    hidden = {"recipient": "", "phone": mask_phone(delivery.phone)}
    if delivery.pickup_point is None:
        county = County(delivery.county).label
        hidden |= {"place": county, "area": "", "directions": ""}
    return shown | hidden


def represent_delivery(delivery: OrderDelivery | None, fee: int | None = None) -> Any:
    """Where an order goes, for its buyer; None where that was not agreed.

    ``fee`` is for all its parcels, in KES.
    """
    if delivery is None:
        return None
    point = delivery.pickup_point
    shown = {
        "way": str(delivery.way),
        "place": _place_of(delivery),
        "pickup_point": point.pk if point else None,
        "recipient": delivery.recipient,
        "phone": delivery.phone,
        "county": str(delivery.county),
        "county_name": County(delivery.county).label,
        "area": delivery.area,
        "directions": delivery.directions,
        "opening_hours": point.opening_hours if point else None,
        "days": delivery.days,
    }
    return shown if fee is None else {**shown, "fee": fee}
