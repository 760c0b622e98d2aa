"""Parcels waiting at their pick-up point: buyers are reminded, then staff decide.

Nothing is refunded automatically: the buyer may be about to collect, and has a valid code. The
console lists these parcels (payments.backoffice.queues).
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

#: Maximum number of notifications of each kind per call of remind_of_waiting_goods.
REMINDED_PER_ROUND = 200


def waiting_since(before: datetime) -> OrderTrackQuerySet:
    """Lines that arrived at their pick-up point before then and are not collected."""
    return OrderTrack.objects.filter(
        track_status=TrackStatus.SHIPPING, parcel__arrived_at__lte=before
    )


def uncollected(now: datetime) -> OrderTrackQuerySet:
    """Lines that have waited longer than PICKUP_DAYS: staff decide about them."""
    return waiting_since(now - _time())


def going_to_closed_points() -> OrderTrackQuerySet:
    """Paid, undelivered lines whose pick-up point has closed.

    The few closed points are read in a separate query: with a join, PostgreSQL would go through
    all undelivered lines.
    """
    closed = list(PickupPoint.objects.filter(is_open=False).values_list("pk", flat=True))
    lines = OrderTrack.objects.to_fulfil().filter(parcel__isnull=False)
    return lines.filter(order__delivery__pickup_point__in=closed)


@transaction.atomic
def remind_of_waiting_goods(now: datetime) -> int:
    """Remind buyers of waiting goods after half of PICKUP_DAYS, and notify them after all of it.

    Each once per line. Returns how many notifications. Safe to repeat and to run concurrently.
    """
    over = _not_yet_notified(NotificationKind.UNCOLLECTED, uncollected(now))
    half = waiting_since(now - _time() / 2).exclude(pk__in=uncollected(now).values("pk"))
    notices = [*over, *_not_yet_notified(NotificationKind.WAITING, half)]
    notify_all(notices)
    return len(notices)


def _not_yet_notified(kind: NotificationKind, lines: OrderTrackQuerySet) -> list[Notice]:
    notices = Notice.objects.filter(track=OuterRef("pk"), kind=kind)
    some = (
        lines.filter(~Exists(notices)).annotate(arrived_at=F("parcel__arrived_at")).order_by("pk")
    )
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
    """The last day for collection, as Kenyans write dates."""
    last = timezone.localtime(arrived_at + _time())
    return f"{last.day}/{last.month}/{last.year}"


def _time() -> timedelta:
    return timedelta(days=settings.PICKUP_DAYS)
