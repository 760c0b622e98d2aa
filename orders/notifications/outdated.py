"""Checks whether a notification is still true when it is written or sent, maybe hours later."""

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

#: Kinds with a notification per line.
OF_LINES = {
    NotificationKind.SHIPPED,
    NotificationKind.ARRIVED,
    NotificationKind.ATTEMPTED,
    NotificationKind.WAITING,
    NotificationKind.UNCOLLECTED,
    NotificationKind.DELIVERED,
}


def is_outdated(notice: Notice, *, reader_id: int | None = None) -> bool:
    """Whether a notification is no longer true or no longer needed.

    A failed prompt is outdated once its order no longer waits for payment, or its buyer has paid
    for the same goods in another order. A notification about lines is outdated once they are
    cancelled or have moved on. Notifications about money never are. ``reader_id`` is the recipient,
    if there are several.
    """
    if notice.order_id is None:
        return False
    if notice.kind == NotificationKind.PROMPT_FAILED:
        order = Order.objects.get(pk=notice.order_id)
        is_over = not order.is_unpaid or order.expires_at <= timezone.now()
        return is_over or OrderTrack.objects.repurchases_of(order).exists()
    if notice.kind not in _OUTDATED_STATUSES:
        return False
    lines = current_lines(notice)
    if reader_id is not None and notice.kind == NotificationKind.SOLD:
        lines = lines.sold_by(reader_id)
    return not lines.exists()


def current_lines(notice: Notice) -> OrderTrackQuerySet:
    """Return the lines for which a notification is still true, by id.

    For a kind in OF_LINES: the lines of all the order's notifications of that kind.
    """
    kind = NotificationKind(notice.kind)
    lines = OrderTrack.objects.exclude(track_status__in=_OUTDATED_STATUSES[kind]).order_by("pk")
    if kind == NotificationKind.SHIPPED:
        # A parcel at its pick-up point is no longer on its way.
        lines = lines.filter(parcel__arrived_at__isnull=True)
    if kind in OF_LINES:
        return lines.filter(notices__order=notice.order_id, notices__kind=kind)
    return lines.filter(order=notice.order_id)


#: By kind: the statuses of a line that make the notification outdated.
_OUTDATED_STATUSES = {
    NotificationKind.PAID: CANCELLED_LINE_STATUSES,
    NotificationKind.SOLD: CANCELLED_LINE_STATUSES,
    NotificationKind.SHIPPED: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.ARRIVED: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.ATTEMPTED: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.WAITING: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.UNCOLLECTED: (*CANCELLED_LINE_STATUSES, TrackStatus.DELIVERED),
    NotificationKind.DELIVERED: CANCELLED_LINE_STATUSES,
}
