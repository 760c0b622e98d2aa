"""The parcels a user may see, and the rows that show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from accounts.backoffice.conflicts import own_numbers
from accounts.models import Address, User
from orders.claims import DELIVER_PERMISSION
from orders.models import (
    OrderTrack,
    Parcel,
    ParcelQuerySet,
    ParcelStatus,
    PickupPoint,
    status_of_parcel,
)
from orders.models.line_status import SOLD_LINE_STATUSES

#: The permission to decide about any line, and so to see every parcel.
DECIDES = "orders.decide_lines"


@dataclass(frozen=True, slots=True)
class Reader:
    """A user who reads parcels, with their permissions for them."""

    user: User
    delivers: bool
    decides: bool
    #: The pick-up points whose agent they are.
    points: frozenset[int]

    @classmethod
    def of(cls, user: User) -> Reader:
        """Read a user's permissions and pick-up points. One query besides those of permissions."""
        points = PickupPoint.objects.filter(agents=user).values_list("pk", flat=True)
        return cls(
            user, user.has_perm(DELIVER_PERMISSION), user.has_perm(DECIDES), frozenset(points)
        )

    @property
    def has_to_do(self) -> bool:
        """Whether the user has any role for parcels."""
        return self.delivers or self.decides or bool(self.points)

    def is_at_point(self, parcel: Parcel) -> bool:
        """Whether they are an agent of the parcel's pick-up point."""
        return parcel.order.delivery.pickup_point_id in self.points

    def sees_seller(self, parcel: Parcel) -> bool:
        """Whether they see where a parcel is collected: they deliver it, or may claim it."""
        return self.decides or (self.delivers and parcel.agent_id in {None, self.user.pk})

    def sees_recipient(self, parcel: Parcel) -> bool:
        """Whether they see the recipient: they deliver it to an address, or hand it over."""
        if self.decides or self.is_at_point(parcel):
            return True
        return parcel.order.delivery.pickup_point_id is None and self.sees_seller(parcel)


def visible_to(
    reader: Reader, now: datetime, *, claimed: bool = False, delivered: bool = False
) -> ParcelQuerySet:
    """Return the parcels a user may see.

    Agents see their own and unclaimed parcels; agents of a pick-up point see fetched ones that go
    there; users who may decide about lines see all. Until AGENT_SEES_PARCEL_DAYS after delivery.

    ``claimed`` and ``delivered`` say that the caller lists only claimed parcels, or delivered ones:
    then the many unclaimed ones are left out of the query.
    """
    since = now - timedelta(days=settings.AGENT_SEES_PARCEL_DAYS)
    if reader.decides:
        everyones = Parcel.objects.all()
        return (
            everyones.delivered_since(since) if delivered else everyones.not_delivered_before(since)
        )
    # A union, in which each part has its own index: with one condition for all of them PostgreSQL
    # goes through every open parcel of the shop.
    parts: list[ParcelQuerySet] = []
    if reader.delivers:
        own = Parcel.objects.claimed_by(reader.user)
        parts.append(own.delivered_since(since) if delivered else own.not_delivered_before(since))
        if not (claimed or delivered):
            parts.append(Parcel.objects.free().to_deliver())
    if reader.points:
        to_points = Parcel.objects.filter(order__delivery__pickup_point__in=reader.points)
        parts.append(to_points.delivered_since(since))
        if not delivered:
            parts.append(to_points.in_transit())
    first, *others = parts or [Parcel.objects.none()]
    if not others:
        return first
    return Parcel.objects.filter(
        pk__in=first.values("pk").union(*(part.values("pk") for part in others))
    )


def without_own(parcels: ParcelQuerySet, user: User) -> ParcelQuerySet:
    """These parcels without those in which a person has a part (accounts.backoffice.conflicts).

    One query, for the user's phone numbers.
    """
    numbers = own_numbers(user)
    others = parcels.exclude(order__buyer=user).exclude(seller=user)
    if not numbers:
        return others
    paid_to_them = OrderTrack.objects.filter(
        parcel=OuterRef("pk"), payment_mpesa_number__in=numbers
    )
    return others.exclude(
        Q(order__mpesa_number__in=numbers) | Q(order__delivery__phone__in=numbers)
    ).filter(~Exists(paid_to_them))


def in_county(county: str) -> Q:
    """Return the condition for parcels collected in or delivered to a county."""
    there = Address.objects.collection_places().filter(county=county)
    return Q(order__delivery__county=county) | Q(seller__in=there.values("user"))


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """A parcel with everything shown of it. ``place`` is the seller's collection place."""

    parcel: Parcel
    lines: Sequence[OrderTrack]
    place: Address | None

    @property
    def status(self) -> ParcelStatus:
        """Its status. A parcel with nothing to deliver is in no list."""
        statuses = {line.track_status for line in self.lines}
        status = status_of_parcel(statuses, has_arrived=self.parcel.arrived_at is not None)
        return status or ParcelStatus.DELIVERED

    @property
    def since(self) -> datetime:
        """When its status last changed."""
        moved = max(line.updated_at for line in self.lines)
        return max(moved, self.parcel.arrived_at or moved)


def with_ends(parcels: ParcelQuerySet) -> ParcelQuerySet:
    """Select order, delivery, pick-up point, seller and agent in the same query."""
    return parcels.select_related("order__delivery__pickup_point", "seller", "agent")


def read_rows(parcels: Collection[Parcel]) -> list[ParcelRow]:
    """Return rows for parcels from ``with_ends``. Two queries: lines and collection places."""
    if not parcels:
        return []
    lines = defaultdict(list)
    theirs = OrderTrack.objects.filter(parcel__in=parcels, track_status__in=SOLD_LINE_STATUSES)
    for line in theirs.order_by("pk"):
        lines[line.parcel_id].append(line)
    sellers = {parcel.seller_id for parcel in parcels}
    places = {
        place.user_id: place
        for place in Address.objects.collection_places().filter(user__in=sellers)
    }
    return [
        ParcelRow(parcel, lines[parcel.pk], places.get(parcel.seller_id))
        for parcel in parcels
        # Leave out parcels cancelled entirely since they were read.
        if parcel.pk in lines
    ]
