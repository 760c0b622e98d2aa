"""Whether a notification is still true when it is written or sent, which may be hours later."""

from __future__ import annotations

from django.utils import timezone

from orders.models import (
    CANCELLED_LINE_STATUSES,
    Order,
    OrderTrack,
    OrderTrackQuerySet,
    TrackStatus,
)
from orders.models.notifications import Notice, NotificationKind

#: Kinds that are about some lines of an order, each with a notification of its own.
OF_LINES = {
    NotificationKind.SHIPPED,
    NotificationKind.ARRIVED,
    NotificationKind.ATTEMPTED,
    NotificationKind.WAITING,
    NotificationKind.UNCOLLECTED,
    NotificationKind.DELIVERED,
}


def is_outdated(notice: Notice, *, reader_id: int | None = None) -> bool:
    """Whether there is nothing left of what a notification says, or of what it asks for.

    That a prompt failed is not told once its order waits for no money, or its buyer has paid for
    the same goods with another order. Lines are not told of once they are off, or further on. Money
    that moved has moved. ``reader_id`` is who reads it, where they are one of several.
    """
    if notice.order_id is None:
        return False
    if notice.kind == NotificationKind.PROMPT_FAILED:
        order = Order.objects.get(pk=notice.order_id)
        is_over = not order.is_unpaid or order.expires_at <= timezone.now()
        return is_over or OrderTrack.objects.repurchases_of(order).exists()
    if notice.kind not in _NOT_ANY_MORE:
        return False
    lines = current_lines(notice)
    if reader_id is not None and notice.kind == NotificationKind.SOLD:
        lines = lines.sold_by(reader_id)
    return not lines.exists()


def current_lines(notice: Notice) -> OrderTrackQuerySet:
    """The lines a notification is about that still are as it says, by id.

    Of those shipped, arrived, waiting or delivered, all that the order's notifications of that kind
    name.
    """
    kind = NotificationKind(notice.kind)
    lines = OrderTrack.objects.exclude(track_status__in=_NOT_ANY_MORE[kind]).order_by("pk")
    if kind == NotificationKind.SHIPPED:
        # What waits at a pick-up point is on its way no more.
        lines = lines.filter(parcel__arrived_at__isnull=True)
    if kind in OF_LINES:
        return lines.filter(notices__order=notice.order_id, notices__kind=kind)
    return lines.filter(order=notice.order_id)


#: By the kind: the statuses of a line of which it need not be told any more.
_NOT_ANY_MORE = {
    NotificationKind.PAID: CANCELLED_LINE_STATUSES,
    NotificationKind.SOLD: CANCELLED_LINE_STATUSES,
    NotificationKind.SHIPPED: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.ARRIVED: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.ATTEMPTED: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.WAITING: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.UNCOLLECTED: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.DELIVERED: CANCELLED_LINE_STATUSES,
}
