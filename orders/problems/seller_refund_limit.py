"""What a seller may give back on their word alone: what the shop still has of theirs, and little
more.

Buyer and seller may be one person. Were a seller who has been paid believed without limit, the shop
would pay for the same goods twice, and be owed the second time by somebody who sells no more.
"""

from __future__ import annotations

from collections.abc import Callable

from omachemainproj.api.errors import Refusal
from orders.models import OrderTrack

Check = Callable[[OrderTrack, int], bool]
_checks: list[Check] = []


class ShopDecides(Refusal):
    """The seller has the money already, and owes the shop as much as anybody may."""

    code = "shop_decides"
    message = (
        "You have already been paid for this item, so the shop decides about the refund. Write in "
        "the thread what you agree to."
    )


def checks_seller_refund(check: Check) -> Check:
    """Declare who knows whether so many KES for a line are covered; all of them have to check so.

    Called inside a transaction that holds the locks of the seller, the order and the line.
    """
    _checks.append(check)
    return check


def require_within_limit(line: OrderTrack, amount: int) -> None:
    """Raise ShopDecides unless a line's seller may give back ``amount`` KES by themselves."""
    if not all(check(line, amount) for check in _checks):
        raise ShopDecides
