"""Deliveries, parcels and delivery fees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from orders.models import (
    AGREED_OF_DELIVERY,
    AGREED_OF_PARCEL,
    DeliveryWay,
    FeeReturn,
    FeeState,
    Order,
    OrderDelivery,
    OrderTrack,
    Parcel,
    ParcelEvent,
    ParcelStep,
    TrackEvent,
    TrackStatus,
    digest_delivery,
)
from payments.ledger import net
from payments.models import Account, LedgerEntry, Side
from payments.models.totals import total

from .rule import digests_that_differ, rule


def _differing(orders: QuerySet[Order]) -> Iterator[int]:
    """The orders whose delivery does not match its digest."""
    rows = orders.order_by("pk").values_list(
        "pk",
        "delivery_digest__sha256",
        *(f"delivery__{name}" for name in AGREED_OF_DELIVERY),
        *(f"parcels__{name}" for name in AGREED_OF_PARCEL),
    )
    return digests_that_differ(rows, len(AGREED_OF_DELIVERY), digest_delivery)


@rule("An order's delivery and its parcels' fees match the agreement", read=_differing)
def delivery_matches_agreement(now: datetime) -> QuerySet[Order]:
    return Order.objects.filter(Q(delivery_digest__isnull=False) | Q(delivery__isnull=False))


@rule("A line of a delivered order is in its seller's parcel, and any other line is in none")
def line_has_its_parcel(now: datetime) -> QuerySet[OrderTrack]:
    delivered = Exists(OrderDelivery.objects.filter(order=OuterRef("order")))
    its_own = Q(parcel__order=F("order"), parcel__seller=F("seller"))
    lines = OrderTrack.objects.annotate(is_delivered=delivered)
    return lines.filter(
        Q(is_delivered=False, parcel__isnull=False)
        | (Q(is_delivered=True) & (Q(parcel__isnull=True) | ~its_own))
    )


@rule("A parcel has lines, and its order has a delivery")
def parcel_has_lines_and_delivery(now: datetime) -> QuerySet[Parcel]:
    lines = OrderTrack.objects.filter(parcel=OuterRef("pk"))
    delivered = OrderDelivery.objects.filter(order=OuterRef("order"))
    return Parcel.objects.filter(~Exists(lines) | ~Exists(delivered))


def _had(status: TrackStatus) -> Exists:
    return Exists(TrackEvent.objects.filter(track__parcel=OuterRef("pk"), track_status=status))


def _with_fee_conditions() -> QuerySet[Any]:
    """Parcels annotated with what decides the state of their fee."""
    active = OrderTrack.objects.filter(parcel=OuterRef("pk"), returned=False)
    return Parcel.objects.annotate(
        is_off=~Exists(active),
        was_fetched=_had(TrackStatus.FETCHED),
        was_delivered=_had(TrackStatus.DELIVERED),
        was_given_back=Exists(FeeReturn.objects.filter(parcel=OuterRef("pk"))),
    )


@rule(
    "A delivery fee is the shop's once a line of its parcel was delivered, until then the buyer's"
)
def fee_state_is_right(now: datetime) -> QuerySet[Parcel]:
    is_earned = Q(was_delivered=True) | Q(is_off=True, was_fetched=True)
    state = Case(
        When(was_given_back=True, then=Value(FeeState.RETURNED)),
        When(is_earned, then=Value(FeeState.EARNED)),
        When(is_off=True, then=Value(FeeState.RETURNED)),
        default=Value(FeeState.HELD),
    )
    return _with_fee_conditions().annotate(belongs=state).exclude(fee_state=F("belongs"))


def _earned_in_ledger() -> Coalesce:
    entries = LedgerEntry.objects.filter(
        posting__parcel=OuterRef("pk"), account=Account.DELIVERY_FEES
    )
    return total(entries, group_by="posting__parcel", of=net(Side.CREDIT))


@rule("A delivery fee is in the ledger as income exactly while the shop has earned it")
def earned_fee_is_posted(now: datetime) -> QuerySet[Parcel]:
    fee = Case(When(fee_state=FeeState.EARNED, then=F("fee")), default=0)
    return Parcel.objects.annotate(earned=fee).exclude(earned=_earned_in_ledger())


@rule("Ledger entries of delivery fees belong to parcels, and parcels have no other entries")
def fee_posting_has_parcel(now: datetime) -> QuerySet[LedgerEntry]:
    fees = Q(account=Account.DELIVERY_FEES)
    held = Q(account=Account.BUYERS_HELD)
    return LedgerEntry.objects.filter(
        (fees & Q(posting__parcel__isnull=True))
        | (Q(posting__parcel__isnull=False) & ~fees & ~held)
    )


@rule("A parcel's agent is the last one who claimed it, or nobody once it was released")
def parcel_agent_is_last_claim(now: datetime) -> QuerySet[Parcel]:
    claims = ParcelEvent.objects.of_claims().filter(parcel=OuterRef("pk"))
    last = claims.order_by("-pk")
    agent = Case(When(last_step=ParcelStep.CLAIMED, then=Subquery(last.values("agent")[:1])))
    with_whom = Parcel.objects.annotate(last_step=Subquery(last.values("step")[:1]))
    # Coalesce, since NULL is neither equal to nor different from anything.
    return with_whom.annotate(
        expected=Coalesce(agent, 0, output_field=BigIntegerField()),
        actual=Coalesce("agent_id", 0, output_field=BigIntegerField()),
    ).exclude(expected=F("actual"))


@rule("A parcel at its pick-up point arrived there once, after its goods were shipped")
def arrival_happened_once(now: datetime) -> QuerySet[Parcel]:
    taken_in = ParcelEvent.objects.filter(parcel=OuterRef("pk"), step=ParcelStep.ARRIVED)
    times = taken_in.order_by().values("parcel").annotate(times=Count("pk")).values("times")
    left = TrackEvent.objects.filter(
        track__parcel=OuterRef("pk"), track_status=TrackStatus.SHIPPING
    )
    has_arrived = Q(arrived_at__isnull=False)
    return Parcel.objects.annotate(times=Coalesce(Subquery(times), 0)).filter(
        (has_arrived & ~Q(times=1))
        | (~has_arrived & ~Q(times=0))
        | (has_arrived & Q(order__delivery__pickup_point__isnull=True))
        | (has_arrived & ~Exists(left))
    )


@rule("A failed delivery was to an address, and after the parcel was shipped")
def failed_delivery_was_on_the_way(now: datetime) -> QuerySet[ParcelEvent]:
    left = TrackEvent.objects.filter(
        track__parcel=OuterRef("parcel"),
        track_status=TrackStatus.SHIPPING,
        created_at__lte=OuterRef("created_at"),
    )
    to_point = Q(parcel__order__delivery__way=DeliveryWay.PICKUP)
    return ParcelEvent.objects.attempts().filter(to_point | ~Exists(left))
