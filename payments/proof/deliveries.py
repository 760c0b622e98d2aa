"""Where goods go, their parcels, and whose the fees are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
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

from .rule import rule

#: Rows that are read at a time.
_AT_A_TIME = 2000


def _differing(orders: QuerySet[Order]) -> Iterator[int]:
    """Of these orders the ids of those whose digest is another than was kept, or missing."""
    rows = orders.order_by("pk").values_list(
        "pk",
        "delivery_digest__sha256",
        *(f"delivery__{name}" for name in AGREED_OF_DELIVERY),
        *(f"parcels__{name}" for name in AGREED_OF_PARCEL),
    )
    end = 2 + len(AGREED_OF_DELIVERY)
    for pk, parcels in groupby(rows.iterator(chunk_size=_AT_A_TIME), key=itemgetter(0)):
        first, *rest = parcels
        if first[1] != digest_delivery(first[2:end], [row[end:] for row in (first, *rest)]):
            yield pk


@rule("Where an order goes, and what its parcels cost, is what was agreed", read=_differing)
def _agreed(now: datetime) -> QuerySet[Order]:
    return Order.objects.filter(Q(delivery_digest__isnull=False) | Q(delivery__isnull=False))


@rule("A line is in its seller's parcel where its order is delivered, and else in none")
def _in_its_parcel(now: datetime) -> QuerySet[OrderTrack]:
    delivered = Exists(OrderDelivery.objects.filter(order=OuterRef("order")))
    its_own = Q(parcel__order=F("order"), parcel__seller=F("seller"))
    lines = OrderTrack.objects.annotate(is_delivered=delivered)
    return lines.filter(
        Q(is_delivered=False, parcel__isnull=False)
        | (Q(is_delivered=True) & (Q(parcel__isnull=True) | ~its_own))
    )


@rule("A parcel has a line, and its order goes somewhere")
def _has_a_line(now: datetime) -> QuerySet[Parcel]:
    lines = OrderTrack.objects.filter(parcel=OuterRef("pk"))
    delivered = OrderDelivery.objects.filter(order=OuterRef("order"))
    return Parcel.objects.filter(~Exists(lines) | ~Exists(delivered))


def _had(status: TrackStatus) -> Exists:
    return Exists(TrackEvent.objects.filter(track__parcel=OuterRef("pk"), track_status=status))


def _where_fees_belong() -> QuerySet[Any]:
    """Parcels with what decides about their fees: their lines, and who gave one back."""
    active = OrderTrack.objects.filter(parcel=OuterRef("pk"), returned=False)
    return Parcel.objects.annotate(
        is_off=~Exists(active),
        was_fetched=_had(TrackStatus.FETCHED),
        was_delivered=_had(TrackStatus.DELIVERED),
        was_given_back=Exists(FeeReturn.objects.filter(parcel=OuterRef("pk"))),
    )


@rule("A fee is the shop's once a line of its parcel was handed over, and else the buyer's")
def _whose(now: datetime) -> QuerySet[Parcel]:
    made = Q(was_delivered=True) | Q(is_off=True, was_fetched=True)
    state = Case(
        When(was_given_back=True, then=Value(FeeState.RETURNED)),
        When(made, then=Value(FeeState.EARNED)),
        When(is_off=True, then=Value(FeeState.RETURNED)),
        default=Value(FeeState.HELD),
    )
    return _where_fees_belong().annotate(belongs=state).exclude(fee_state=F("belongs"))


def _earned_in_ledger() -> Coalesce:
    entries = LedgerEntry.objects.filter(
        posting__parcel=OuterRef("pk"), account=Account.DELIVERY_FEES
    )
    return total(entries, group_by="posting__parcel", of=net(Side.CREDIT))


@rule("A fee is in the ledger as the shop's as long as it is, and not before")
def _in_ledger(now: datetime) -> QuerySet[Parcel]:
    fee = Case(When(fee_state=FeeState.EARNED, then=F("fee")), default=0)
    return Parcel.objects.annotate(earned=fee).exclude(earned=_earned_in_ledger())


@rule("What the ledger has of delivery fees is a parcel's, and a parcel's is nothing else")
def _of_a_parcel(now: datetime) -> QuerySet[LedgerEntry]:
    fees = Q(account=Account.DELIVERY_FEES)
    held = Q(account=Account.BUYERS_HELD)
    return LedgerEntry.objects.filter(
        (fees & Q(posting__parcel__isnull=True))
        | (Q(posting__parcel__isnull=False) & ~fees & ~held)
    )


@rule("A parcel is with whoever took it on last, and with nobody once that was given up")
def _with_whom(now: datetime) -> QuerySet[Parcel]:
    claims = ParcelEvent.objects.of_claims().filter(parcel=OuterRef("pk"))
    last = claims.order_by("-pk")
    whose = Case(When(last_step=ParcelStep.CLAIMED, then=Subquery(last.values("agent")[:1])))
    with_whom = Parcel.objects.annotate(last_step=Subquery(last.values("step")[:1]))
    # Nothing is equal to NULL, nor different from it.
    return with_whom.annotate(
        told=Coalesce(whose, 0, output_field=BigIntegerField()),
        kept=Coalesce("agent_id", 0, output_field=BigIntegerField()),
    ).exclude(told=F("kept"))


@rule("A parcel is at its pick-up point if that took it in, once, and its goods had left for it")
def _arrived(now: datetime) -> QuerySet[Parcel]:
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


@rule("A parcel was brought in vain to a door, and on its way there")
def _attempted(now: datetime) -> QuerySet[ParcelEvent]:
    left = TrackEvent.objects.filter(
        track__parcel=OuterRef("parcel"),
        track_status=TrackStatus.SHIPPING,
        created_at__lte=OuterRef("created_at"),
    )
    to_point = Q(parcel__order__delivery__way=DeliveryWay.PICKUP)
    return ParcelEvent.objects.attempts().filter(to_point | ~Exists(left))
