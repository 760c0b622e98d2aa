"""By which way money of a receipt can go back, and to which number."""

from __future__ import annotations

from typing import NamedTuple

from omachemainproj.money import format_kes
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.phones import PhoneMatch, match_phone, normalise_phone
from payments.models import Receipt, RefundMethod


class Route(NamedTuple):
    """A way, and the number where it needs one."""

    way: str
    phone: str = ""


def route_to_phone(receipt: Receipt, amount: int) -> Route:
    """The payment to the payer's own number where that can be made, else a person's way."""
    phone = payer_phone(receipt)
    if phone and MIN_B2C <= amount <= MAX_B2C:
        return Route(RefundMethod.B2C, phone)
    return Route(RefundMethod.PORTAL)


def why_no_route(amount: int) -> str:
    """Say in plain words why a payment to a phone cannot serve."""
    if amount < MIN_B2C:
        return f"M-Pesa pays out {format_kes(MIN_B2C)} or more, and reverses only whole payments."
    return "The payer's number is not known."


def payer_phone(receipt: Receipt) -> str:
    """The number that paid, 12 digits; empty where that is not certain.

    The prompt's own, or the one the provider shows. A masked or hashed one is taken for a number
    the order was to be paid from, where all that it shows agrees with that one alone.
    """
    if receipt.payment is not None and receipt.payment.phone:
        return receipt.payment.phone
    try:
        return normalise_phone(receipt.phone)
    except ValueError:
        pass
    if receipt.order is None:
        return ""
    asked = receipt.order.payments.exclude(phone="").values_list("phone", flat=True)
    known = {receipt.order.mpesa_number, *asked}
    agreeing = [each for each in known if match_phone(receipt.phone, each) == PhoneMatch.AGREES]
    return agreeing[0] if len(agreeing) == 1 else ""
