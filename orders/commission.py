"""The shop's own part of a sale, fixed when the sale is made."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.conf import settings


def commissions(amounts: Sequence[int], percent: Decimal | None = None) -> list[int]:
    """What of each line's amount the shop keeps, whole KES, for the lines of one order.

    ``percent`` (the setting's, where none is given) is taken of the whole order and rounded down,
    so that the shop never keeps more than it says. It is spread by largest remainder: each line's
    part rounded down, and the shillings that are left to the lines that lost most by rounding, the
    earlier first.
    """
    percent = settings.COMMISSION_PERCENT if percent is None else percent
    exact = [amount * percent / 100 for amount in amounts]
    parts = [int(part) for part in exact]
    left = int(sum(exact)) - sum(parts)
    by_loss = sorted(range(len(parts)), key=lambda at: parts[at] - exact[at])
    for at in by_loss[:left]:
        parts[at] += 1
    return parts
