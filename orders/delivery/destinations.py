"""The destination of an order: as requested, looked up, and copied onto the order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from accounts.counties import County
from accounts.models import Address, User
from omachemainproj.api.errors import FieldRefusal
from omachemainproj.compiled_queries import compiled
from omachemainproj.phones import mask_phone
from orders.models import (
    AGREED_OF_DELIVERY,
    AGREED_OF_PARCEL,
    DeliveryDigest,
    DeliveryRate,
    DeliveryWay,
    Order,
    OrderDelivery,
    Parcel,
    PickupPoint,
    digest_delivery,
)

from .fees import find_rate

#: Maximum length of a recipient's name.
_RECIPIENT = 100


@dataclass(frozen=True, slots=True)
class Destination:
    """A requested destination: a pick-up point, one of the buyer's addresses, or a full address.

    Exactly one of ``pickup_point``, ``address`` (ids) and ``county`` is set. ``recipient`` and
    ``phone`` go with a point or a full address; ``fee`` is the one the client showed, in KES.
    """

    pickup_point: int | None = None
    address: int | None = None
    county: str | None = None
    area: str | None = None
    directions: str | None = None
    recipient: str | None = None
    phone: str | None = None
    fee: int | None = None

    def given_members(self) -> dict[str, Any]:
        """The members that were sent, for a request's fingerprint."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def field(self) -> str:
        """The member that names the destination, on which errors are reported."""
        if self.pickup_point is not None:
            return "pickup_point"
        return "address" if self.address is not None else "county"


@dataclass(frozen=True, slots=True)
class Place:
    """A destination that was looked up, with what ``OrderDelivery`` copies of it."""

    way: str
    county: str
    area: str
    directions: str
    recipient: str
    phone: str
    point: PickupPoint | None = None


class DestinationUnavailable(FieldRefusal):
    """The destination does not exist, or is not delivered to; ``problem`` is a stable code."""

    def __init__(self, field: str, problem: str, message: str) -> None:
        self.problem, self.message = problem, message
        super().__init__({"delivery": {field: [message]}})


def find_place(to: Destination, buyer: User | None, mpesa_number: str) -> Place:
    """Return the requested place with its recipient. At most one query.

    The default recipient at a pick-up point is the buyer: full name or else user name, and the
    account's phone or else the paying number. For a guest the name is the masked paying number.

    Raises DestinationUnavailable for a point or address that does not exist or is not the buyer's,
    and for a closed point.
    """
    if to.pickup_point is not None:
        point = _find_point(to.pickup_point)
        recipient = to.recipient or _full_name(buyer) or mask_phone(mpesa_number)
        phone = to.phone or (buyer.phone if buyer else "") or mpesa_number
        area = f"{point.name}, {point.area}"
        return Place(
            DeliveryWay.PICKUP, point.county, area, point.directions, recipient, phone, point
        )
    if to.address is not None:
        address = _find_address(to.address, buyer)
        return Place(
            DeliveryWay.HOME,
            address.county,
            address.area,
            address.directions,
            address.recipient,
            address.phone,
        )
    return Place(
        DeliveryWay.HOME,
        to.county or "",
        to.area or "",
        to.directions or "",
        to.recipient or "",
        to.phone or "",
    )


def _full_name(buyer: User | None) -> str:
    return (buyer.get_full_name() or buyer.username)[:_RECIPIENT] if buyer else ""


def _find_point(point_id: int) -> PickupPoint:
    points = _points(point_id)
    if not points:
        raise DestinationUnavailable(
            "pickup_point", "no_such_point", "There is no such pick-up point."
        )
    if not points[0].is_open:
        raise DestinationUnavailable("pickup_point", "point_closed", _closed(points[0]))
    return points[0]


def _closed(point: PickupPoint) -> str:
    """Return the message for a closed point, with up to three open ones nearby. One query."""
    others = PickupPoint.objects.filter(is_open=True, county=point.county).order_by("name", "pk")
    names = ", ".join(others.values_list("name", flat=True)[:3])
    if not names:
        return f"{point.name} is not accepting parcels at the moment. Choose another point."
    return f"{point.name} is not accepting parcels at the moment. Choose another point: {names}."


def _find_address(address_id: int, buyer: User | None) -> Address:
    if buyer is None:
        raise DestinationUnavailable(
            "address", "sign_in", "Sign in to choose one of your addresses."
        )
    addresses = _addresses(address_id, buyer.pk)
    if not addresses:
        raise DestinationUnavailable("address", "no_such_address", "You have no such address.")
    return addresses[0]


@compiled
def _points(point_id: int) -> QuerySet[PickupPoint]:
    return PickupPoint.objects.filter(pk=point_id)


@compiled
def _addresses(address_id: int, owner: int) -> QuerySet[Address]:
    return Address.objects.filter(pk=address_id, user=owner)


def find_rate_to(place: Place, field: str) -> DeliveryRate:
    """Return the delivery rate for a place. One query.

    Raises DestinationUnavailable, on ``field``, if the place is not delivered to.
    """
    rate = find_rate(place.county, place.way)
    if rate is None:
        if place.point is not None:
            message = (
                f"We do not deliver parcels to {place.point.name} yet. Choose another pick-up "
                "point, or arrange delivery with the seller."
            )
        else:
            message = (
                f"We do not deliver to {County(place.county).label} yet. Choose a pick-up point, "
                "or arrange delivery with the seller."
            )
        raise DestinationUnavailable(field, "no_rate", message)
    return rate


def is_delivered_to(order: Order, place: Place) -> bool:
    """Whether an order goes to this place and recipient. One query."""
    deliveries = OrderDelivery.objects.filter(
        order=order.pk,
        way=place.way,
        pickup_point=place.point,
        county=place.county,
        area=place.area,
        directions=place.directions,
        recipient=place.recipient,
        phone=place.phone,
    )
    return deliveries.exists()


def freeze_delivery(
    order: Order, place: Place, days: int, fees: Mapping[int, int]
) -> tuple[OrderDelivery, dict[int, Parcel]]:
    """Store an order's destination, its parcels by seller, and their digest; ``fees`` in KES.

    Call in the transaction that places the order, before its lines are written. Three queries.
    """
    delivery = OrderDelivery(
        order=order,
        way=place.way,
        pickup_point=place.point,
        recipient=place.recipient,
        phone=place.phone,
        county=place.county,
        area=place.area,
        directions=place.directions,
        days=days,
    )
    OrderDelivery.objects.bulk_create([delivery])
    parcels = Parcel.objects.bulk_create(
        Parcel(order=order, seller_id=seller_id, fee=fee) for seller_id, fee in fees.items()
    )
    agreed = attrgetter(*AGREED_OF_PARCEL)
    sha256 = digest_delivery(
        attrgetter(*AGREED_OF_DELIVERY)(delivery), [agreed(parcel) for parcel in parcels]
    )
    DeliveryDigest.objects.bulk_create([DeliveryDigest(order=order, sha256=sha256)])
    return delivery, {parcel.seller_id: parcel for parcel in parcels}
