"""A cash-out as it was requested."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import User

from .allowance import HoldRequest
from .delivery.destinations import Destination, Place, find_place
from .models import Order
from .refusals import LineRequest


@dataclass(frozen=True, slots=True)
class CashoutRequest:
    """The arguments of ``orders.cashout.place_order``.

    ``shown_amount`` is KES. For a guest, ``buyer`` is the guest's user, who cannot log in.
    """

    buyer: User
    lines: Sequence[LineRequest]
    mpesa_number: str
    idempotency_key: str | None
    shown_amount: int | None
    hold_request: HoldRequest
    delivery: Destination | None
    as_guest: bool = False

    def is_of_same_kind(self, order: Order) -> bool:
        """Whether an order was placed like this one: both by an account, or both by a guest."""
        return (order.guest_id is not None) == self.as_guest

    def find_place(self, to: Destination) -> Place:
        """Return the requested place. Guests have no name and no addresses. Raises
        DestinationUnavailable."""
        return find_place(to, None if self.as_guest else self.buyer, self.mpesa_number)

    def quantities(self) -> dict[int, int]:
        """Return the number of units by product id."""
        quantities: dict[int, int] = defaultdict(int)
        for line in self.lines:
            quantities[line.product] += line.number
        return quantities

    def fingerprint(self) -> str:
        """Return the SHA-256 of the request and the prices shown.

        Members that were not sent are left out, so that new optional members do not change the
        fingerprints of stored keys.
        """
        parts: list[Any] = [sorted(self.quantities().items()), self.mpesa_number]
        shown = {(line.product, line.price) for line in self.lines if line.price is not None}
        if shown or self.shown_amount is not None:
            parts += [sorted(shown), self.shown_amount]
        if self.delivery is not None:
            parts.append({"delivery": sorted(self.delivery.given_members().items())})
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def matches_prices(self, prices: dict[int, int], amount: int, fee: int = 0) -> bool:
        """Whether the prices the client showed, if any, equal these, in KES.

        ``prices`` is by product, ``amount`` the total, ``fee`` the delivery fee within it.
        """
        same = all(line.price in {None, prices[line.product]} for line in self.lines)
        shown_fee = self.delivery.fee if self.delivery else None
        return same and self.shown_amount in {None, amount} and shown_fee in {None, fee}
