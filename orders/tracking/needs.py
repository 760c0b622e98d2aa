"""What waits for the buyer of an order, in codes that never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import TextChoices

from orders.models import Order, TrackStatus


class Need(TextChoices):
    """What may wait for the buyer of an order."""

    PAY = "pay"
    ANSWER = "answer"
    CONFIRM = "confirm"
    REVIEW = "review"


def needs_of(
    order: Order,
    lines: Sequence[Any],
    abilities: Sequence[Mapping[str, Any]],
    *,
    amount_due: int,
    now: datetime,
) -> list[str]:
    """The most pressing first: to pay while there is time; to answer about a problem, of which its
    seller or the shop spoke last; to say that goods have arrived which are on the way; to review
    what was delivered. ``amount_due`` is in KES. ``lines`` are from ``read_rows_of``."""
    on_the_way = any(
        line.track_status == TrackStatus.SHIPPING and TrackStatus.DELIVERED in may["moves"]
        for line, may in zip(lines, abilities, strict=True)
    )
    waits = {
        Need.PAY: order.is_unpaid and amount_due > 0 and order.expires_at > now,
        Need.ANSWER: any(line.to_answer for line in lines),
        Need.CONFIRM: on_the_way,
        Need.REVIEW: any(may["can_review"] for may in abilities),
    }
    return [need.value for need, is_so in waits.items() if is_so]
