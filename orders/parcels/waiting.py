"""Parcels waiting at their pick-up point: buyers are reminded, then staff decide.

Nothing is refunded automatically: the buyer may be about to collect, and has a valid code. The
console lists these parcels (payments.backoffice.queues).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from omachemainproj.compiled_queries import Fixed, compiled
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


def of_closed_sellers() -> OrderTrackQuerySet:
    """Paid lines still with a seller whose account is closed: nobody can hand them over."""
    return OrderTrack.objects.filter(track_status=TrackStatus.PAID, seller__is_active=False)


@transaction.atomic
def remind_of_waiting_goods(now: datetime) -> int:
    """Remind buyers of waiting goods after half of PICKUP_DAYS, and notify them after all of it.

    Each once per line. Returns how many notifications. Safe to repeat and to run concurrently.
    """
    over, half = now - _time(), now - _time() / 2
    number = REMINDED_PER_ROUND
    notices = [
        *(
            _notice(NotificationKind.UNCOLLECTED, *line)
            for line in _to_notify_of_deadline(over, number)
        ),
        *(_notice(NotificationKind.WAITING, *line) for line in _to_remind(half, over, number)),
    ]
    notify_all(notices)
    return len(notices)


@compiled
def _to_notify_of_deadline(over: datetime, number: Fixed[int]) -> QuerySet[Any, Any]:
    return _not_yet_notified(NotificationKind.UNCOLLECTED, waiting_since(over))[:number]


@compiled
def _to_remind(half: datetime, over: datetime, number: Fixed[int]) -> QuerySet[Any, Any]:
    lines = waiting_since(half).exclude(pk__in=waiting_since(over).values("pk"))
    return _not_yet_notified(NotificationKind.WAITING, lines)[:number]


def _not_yet_notified(kind: NotificationKind, lines: OrderTrackQuerySet) -> QuerySet[Any, Any]:
    """Order, line and arrival of these lines without a notification of this kind, oldest first."""
    notices = Notice.objects.filter(track=OuterRef("pk"), kind=kind)
    some = lines.filter(~Exists(notices)).order_by("pk")
    return some.values_list("order_id", "pk", "parcel__arrived_at")


def _notice(kind: NotificationKind, order_id: int, track_id: int, arrived_at: datetime) -> Notice:
    return Notice(
        kind=kind,
        key=f"{kind}:track:{track_id}",
        order_id=order_id,
        track_id=track_id,
        facts={"until": _until(arrived_at)},
    )


def _until(arrived_at: datetime) -> str:
    """The last day for collection, as Kenyans write dates."""
    last = timezone.localtime(arrived_at + _time())
    return f"{last.day}/{last.month}/{last.year}"


def _time() -> timedelta:
    return timedelta(days=settings.PICKUP_DAYS)
