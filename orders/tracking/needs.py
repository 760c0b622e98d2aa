"""What an order needs from its buyer, as stable codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import TextChoices

from orders.models import Order, TrackStatus


class Need(TextChoices):
    """What an order may need from its buyer."""

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
    """Return what an order needs from its buyer, most urgent first.

    To pay before it expires; to answer a message about a problem; to confirm a delivery that is on
    the way; to review delivered goods. ``amount_due`` is in KES; ``lines`` are from
    ``read_rows_of``.
    """
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
