"""The shop's commission on a sale, fixed when the order is placed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.conf import settings


def commissions(amounts: Sequence[int], percent: Decimal | None = None) -> list[int]:
    """The commission on each line of an order, whole KES, from the lines' amounts.

    ``percent`` (default: the setting) of the whole order, rounded down, is allocated to the lines
    by largest remainder: each line's own is rounded down, and the shillings left over go to the
    lines that lost most by that, earlier lines first.
    """
    percent = settings.COMMISSION_PERCENT if percent is None else percent
    exact = [amount * percent / 100 for amount in amounts]
    parts = [int(part) for part in exact]
    left = int(sum(exact)) - sum(parts)
    by_loss = sorted(range(len(parts)), key=lambda at: parts[at] - exact[at])
    for at in by_loss[:left]:
        parts[at] += 1
    return parts
