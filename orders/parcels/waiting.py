"""Parcels that wait at their pick-up point: their buyers are reminded, and then a person decides.

No money moves by itself: what is not collected may be on its way to be, and its buyer was told a
code that hands it over. The console shows them (payments.backoffice.queues).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from orders.models import Notice, NotificationKind, OrderTrack, PickupPoint, TrackStatus
from orders.models.lines import OrderTrackQuerySet
from orders.notifications.notify import notify_all

#: Notifications that one call of remind_of_waiting_goods stores.
REMINDED_PER_ROUND = 200


def waiting_since(before: datetime) -> OrderTrackQuerySet:
    """Lines that their pick-up point took in by then, and that nobody has collected."""
    return OrderTrack.objects.filter(
        track_status=TrackStatus.SHIPPING, parcel__arrived_at__lte=before
    )


def uncollected(now: datetime) -> OrderTrackQuerySet:
    """Lines that wait longer than PICKUP_DAYS: it is for staff to decide about them."""
    return waiting_since(now - _time())


def going_to_closed_points() -> OrderTrackQuerySet:
    """Lines that are paid for and not handed over, whose pick-up point has closed.

    The few points that have are asked for at once, in a query of their own: joined, whatever is
    still to be brought would be looked through for them.
    """
    closed = list(PickupPoint.objects.filter(is_open=False).values_list("pk", flat=True))
    lines = OrderTrack.objects.to_fulfil().filter(parcel__isnull=False)
    return lines.filter(order__delivery__pickup_point__in=closed)


@transaction.atomic
def remind_of_waiting_goods(now: datetime) -> int:
    """Tell buyers that their goods wait still, at half of PICKUP_DAYS, and that it is over.

    Each once a line. Returns how many notifications. Safe to repeat, anywhere, at once.
    """
    over = _untold(NotificationKind.UNCOLLECTED, uncollected(now))
    half = waiting_since(now - _time() / 2).exclude(pk__in=uncollected(now).values("pk"))
    notices = [*over, *_untold(NotificationKind.WAITING, half)]
    notify_all(notices)
    return len(notices)


def _untold(kind: NotificationKind, lines: OrderTrackQuerySet) -> list[Notice]:
    told = Notice.objects.filter(track=OuterRef("pk"), kind=kind)
    some = lines.filter(~Exists(told)).annotate(arrived_at=F("parcel__arrived_at")).order_by("pk")
    return [
        Notice(
            kind=kind,
            key=f"{kind}:track:{line.pk}",
            order_id=line.order_id,
            track_id=line.pk,
            facts={"until": _until(line.arrived_at)},
        )
        for line in some[:REMINDED_PER_ROUND]
    ]


def _until(arrived_at: datetime) -> str:
    """The last day it waits, as Kenyans write it."""
    last = timezone.localtime(arrived_at + _time())
    return f"{last.day}/{last.month}/{last.year}"


def _time() -> timedelta:
    return timedelta(days=settings.PICKUP_DAYS)
