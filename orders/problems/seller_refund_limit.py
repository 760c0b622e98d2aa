"""The limit of refunds that sellers decide on themselves.

Buyer and seller may be the same person. Without a limit, a seller who was already paid could refund
themselves with the shop's money and leave the debt behind. The check is registered by
payments.payouts.seller_refund_limit, because this app does not know payouts.
"""

from __future__ import annotations

from collections.abc import Callable

from omachemainproj.api.errors import Refusal
from orders.models import OrderTrack

Check = Callable[[OrderTrack, int], bool]
_checks: list[Check] = []


class ShopDecides(Refusal):
    """The seller was paid already, and the refund would exceed the debt they may have."""

    code = "shop_decides"
    message = (
        "You have already been paid for this item, so the shop decides about the refund. Write in "
        "the thread what you agree to."
    )


def checks_seller_refund(check: Check) -> Check:
    """Register a check of whether a seller may refund an amount in KES of a line; all must agree.

    It is called inside a transaction that holds the locks of the seller, the order and the line.
    """
    _checks.append(check)
    return check


def require_within_limit(line: OrderTrack, amount: int) -> None:
    """Raise ShopDecides unless a line's seller may refund ``amount`` KES without the shop."""
    if not all(check(line, amount) for check in _checks):
        raise ShopDecides
