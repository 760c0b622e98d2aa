"""Telling people: the one door through which anything is told to a buyer or a seller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from omachemainproj.background import enqueue_after_commit
from orders.models.notifications import Kind, Notice

from .sending import deliver_notifications


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing to tell, under a key that names it for good, like ``shipped:track:12``.

    Without ``user_id`` it is for whom its kind is for: the buyer of the order, or (sold) each of
    its sellers. ``phone`` is 12 digits, empty for the number of the order or the line. ``facts``
    is what the rows cannot be asked for later:

    - ``amount`` (KES): refunded, paid_out; and prompt_failed, where less than all is missing
    - ``receipt``, M-Pesa's: refunded, paid_out
    - ``why`` (``{"en": …, "sw": …}``), ``by_hand`` (where to pay without a prompt): prompt_failed
    """

    kind: Kind
    key: str
    user_id: int | None = None
    order_id: int | None = None
    track_id: int | None = None
    phone: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def notify_all(news: Iterable[Notification]) -> None:
    """Have people told, each thing once, however often this is called with its key. One insert.

    Call inside the transaction of what happened: what is rolled back is told to nobody, and what
    is committed is told though this process dies. In which language and over which channels is up
    to who reads it; that is found out after commit (by a worker where there is a broker), and by
    the clock.
    """
    notices = [
        Notice(
            kind=each.kind,
            key=each.key,
            user_id=each.user_id,
            order_id=each.order_id,
            track_id=each.track_id,
            phone=each.phone,
            facts=dict(each.facts),
        )
        for each in news
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    for order_id in dict.fromkeys(notice.order_id or 0 for notice in notices):
        enqueue_after_commit(deliver_notifications, order_id)


def notify(
    kind: Kind,
    *,
    key: str,
    user_id: int | None = None,
    order_id: int | None = None,
    track_id: int | None = None,
    phone: str = "",
    **facts: Any,
) -> None:
    """Have one thing told, as ``notify_all`` does. Call inside the transaction of what happened."""
    notify_all([Notification(kind, key, user_id, order_id, track_id, phone, facts)])


def notify_order_paid(order_id: int) -> None:
    """Have the buyer told that an order is paid, and each seller what they sold. One insert."""
    notify_all(
        [
            Notification(Kind.PAID, f"paid:order:{order_id}", order_id=order_id),
            Notification(Kind.SOLD, f"sold:order:{order_id}", order_id=order_id),
        ]
    )
