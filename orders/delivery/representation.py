"""An order's destination, as its buyer is shown it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from accounts.counties import County
from omachemainproj.phones import mask_phone
from orders.models import OrderDelivery, OrderTrack


def delivery_of(line: OrderTrack) -> OrderDelivery | None:
    """Return the destination of a line's order, with its point; None without a delivery.

    One query; none if the line has no parcel.
    """
    if line.parcel_id is None:
        return None
    return OrderDelivery.objects.select_related("pickup_point").get(order=line.order_id)


def deliveries_of(orders: Collection[int]) -> dict[int, OrderDelivery]:
    """Return the destinations of orders by order id, for those with a delivery.

    One query; none for no orders.
    """
    if not orders:
        return {}
    rows = OrderDelivery.objects.select_related("pickup_point").filter(order__in=orders)
    return {row.order_id: row for row in rows}


def represent_delivery_short(delivery: OrderDelivery | None, fee: int) -> dict[str, Any] | None:
    """Return a destination for a list row; None without a delivery. ``fee`` in KES."""
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
    """Return a destination for anyone with the token of a guest's order.

    Without the recipient, and without the address, unless it is a pick-up point, which is public.
    """
    shown = represent_delivery(delivery, fee)
    if delivery is None:
        return shown
    hidden = {"recipient": "", "phone": mask_phone(delivery.phone)}
    if delivery.pickup_point is None:
        county = County(delivery.county).label
        hidden |= {"place": county, "area": "", "directions": ""}
    return shown | hidden


def represent_delivery(delivery: OrderDelivery | None, fee: int | None = None) -> Any:
    """Return an order's destination for its buyer; None without a delivery.

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
