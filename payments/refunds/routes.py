"""By which way money of a receipt can go back, and to which number."""

from __future__ import annotations

from typing import NamedTuple

from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.phones import normalise_phone, read_masked_phone
from payments.models import Receipt, Way


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
    masked = read_masked_phone(receipt.phone)
    if masked is None or receipt.order is None:
        return ""
    number: str = receipt.order.mpesa_number
    # Money leaves by this: the country's code and the last three digits have to be shown.
    is_clear = masked.start.startswith("254") and len(masked.end) >= 3
    return number if is_clear and masked.fits(number) else ""
