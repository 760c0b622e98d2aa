"""By which way money of a receipt can go back, and to which number."""

from __future__ import annotations

import re
from typing import NamedTuple

from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.phones import normalise_phone
from payments.models import Receipt, Way

_MASKED = re.compile(r"(254[17]?[0-9]*)\*+([0-9]{3,})")


class Route(NamedTuple):
    """A way, and the number where it needs one."""

    way: str
    phone: str = ""


def route_to_phone(receipt: Receipt, amount: int) -> Route:
    """The payment to the payer's own number where that can be made, else a person's way."""
    phone = payer_phone(receipt)
    if phone and MIN_B2C <= amount <= MAX_B2C:
        return Route(Way.B2C, phone)
    return Route(Way.PORTAL)


def why_no_route(amount: int) -> str:
    """Say in plain words why a payment to a phone cannot serve."""
    if amount < MIN_B2C:
        return f"M-Pesa pays out KES {MIN_B2C} or more, and reverses only whole payments."
    return "The payer's number is not known."


def payer_phone(receipt: Receipt) -> str:
    """The number that paid, 12 digits; empty where that is not certain.

    The prompt's own, or the one the provider shows. A masked one is taken for the order's own
    number where every digit it shows agrees.
    """
    if receipt.payment is not None and receipt.payment.phone:
        return receipt.payment.phone
    try:
        return normalise_phone(receipt.phone)
    except ValueError:
        pass
    shown = re.sub(r"[^0-9*]", "", receipt.phone)
    masked = _MASKED.fullmatch(shown)
    if masked and receipt.order is not None:
        number: str = receipt.order.mpesa_number
        if number.startswith(masked[1]) and number.endswith(masked[2]):
            return number
    return ""
