"""Where an order goes, as its buyer is shown it."""

from __future__ import annotations

from typing import Any

from accounts.counties import County
from orders.models import OrderDelivery, OrderTrack


def delivery_of(line: OrderTrack) -> OrderDelivery | None:
    """Where the order of a line goes, with its point; None where that was not agreed.

    One query, and none where the line is in no parcel.
    """
    if line.parcel_id is None:
        return None
    return OrderDelivery.objects.select_related("pickup_point").get(order=line.order_id)


def represent_delivery(delivery: OrderDelivery | None, fee: int | None = None) -> Any:
    """Where an order goes, for its buyer; None where that was not agreed.

    ``fee`` is for all its parcels, in KES.
    """
    if delivery is None:
        return None
    point = delivery.pickup_point
    county = County(delivery.county).label
    shown = {
        "way": str(delivery.way),
        "place": ", ".join(filter(None, [delivery.area, county])),
        "pickup_point": point.pk if point else None,
        "recipient": delivery.recipient,
        "phone": delivery.phone,
        "county": str(delivery.county),
        "county_name": county,
        "area": delivery.area,
        "directions": delivery.directions,
        "opening_hours": point.opening_hours if point else None,
        "days": delivery.days,
    }
    return shown if fee is None else {**shown, "fee": fee}
