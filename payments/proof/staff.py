"""What the staff decided: nobody about their own, and nobody alone what needs two.

That nobody agrees to what they proposed themselves is a constraint of the database.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from orders.models import TrackEvent, TrackStatus
from payments.models import Payout

from .rule import rule


@rule("Nobody moved a line as staff or agent that they bought or sold")
def _no_own_lines(now: datetime) -> QuerySet[TrackEvent]:
    bought, sold = Q(actor=F("track__buyer")), Q(actor=F("track__seller"))
    on_the_way = Q(track_status__in=[TrackStatus.FETCHED, TrackStatus.SHIPPING])
    cancelled_late = Q(track_status=TrackStatus.CANCELLED, track__seller_share__isnull=False)
    return TrackEvent.objects.filter(bought | sold, on_the_way | cancelled_late)


@rule("No payout was approved by its seller, or by who fetched its goods")
def _no_own_payouts(now: datetime) -> QuerySet[Payout]:
    fetched = TrackEvent.objects.filter(
        track__seller_share__payout=OuterRef("pk"),
        track_status=TrackStatus.FETCHED,
        actor=OuterRef("approved_by"),
    )
    approved = Payout.objects.filter(approved_by__isnull=False)
    return approved.filter(Q(approved_by=F("seller")) | Exists(fetched))
