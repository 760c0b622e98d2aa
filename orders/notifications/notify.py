"""Stores notifications to buyers and sellers. Every notification of the shop starts here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omachemainproj.background import enqueue_after_commit
from omachemainproj.inserts import insert
from orders.models.notifications import Notice, NotificationKind

from .sending import deliver_notifications


def notify(
    kind: NotificationKind,
    *,
    key: str,
    user_id: int | None = None,
    order_id: int | None = None,
    track_id: int | None = None,
    phone: str = "",
    **facts: Any,
) -> None:
    """Store one notification, like ``notify_all``; the arguments are columns of Notice."""
    notice = Notice(
        kind=kind,
        key=key,
        user_id=user_id,
        order_id=order_id,
        track_id=track_id,
        phone=phone,
        facts=facts,
    )
    notify_all([notice])


def notify_all(notices: Iterable[Notice]) -> None:
    """Store notifications and send them after commit. One insert.

    Safe to repeat: notifications whose key exists are skipped. Call inside the transaction of the
    event they report: they are rolled back with it, and once committed they are sent even if this
    process dies (by the clock). Texts, languages and channels are decided after commit, by a
    worker if there is a broker.
    """
    stored = list(notices)
    insert(stored, ignore_conflicts=True)
    for order_id in dict.fromkeys(notice.order_id or 0 for notice in stored):
        enqueue_after_commit(deliver_notifications, order_id)


def notify_order_paid(order_id: int) -> None:
    """Notify the buyer that an order is paid, and each seller of what they sold. One insert."""
    kinds = NotificationKind.PAID, NotificationKind.SOLD
    notify_all(
        [Notice(kind=kind, key=f"{kind}:order:{order_id}", order_id=order_id) for kind in kinds]
    )
