"""Chooses the method of a refund and the number it goes to."""

from __future__ import annotations

from typing import NamedTuple

from omachemainproj.money import format_kes
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.phones import PhoneMatch, match_phone, normalise_phone
from payments.models import Receipt, RefundMethod


class Route(NamedTuple):
    """A refund method, and the phone number if it needs one."""

    way: str
    phone: str = ""


def route_to_phone(receipt: Receipt, amount: int) -> Route:
    """A payment to the payer's own number if that is possible, else staff on the portal."""
    phone = payer_phone(receipt)
    if phone and MIN_B2C <= amount <= MAX_B2C:
        return Route(RefundMethod.B2C, phone)
    return Route(RefundMethod.PORTAL)


def why_no_route(amount: int) -> str:
    """A sentence for staff: why a payment to a phone is not possible."""
    if amount < MIN_B2C:
        return f"M-Pesa pays out {format_kes(MIN_B2C)} or more, and reverses only whole payments."
    if amount > MAX_B2C:
        return f"M-Pesa pays out at most {format_kes(MAX_B2C)} at once. Refund it on the portal."
    return "The payer's number is not known."


def payer_phone(receipt: Receipt) -> str:
    """The payer's number, 12 digits; empty if it is not certain.

    The prompt's own, or the one the provider shows. A masked or hashed number counts as a number
    the order was to be paid from, if it matches that one and no other.
    """
    if receipt.payment is not None and receipt.payment.phone:
        return receipt.payment.phone
    try:
        return normalise_phone(receipt.phone)
    except ValueError:
        pass
    if receipt.order is None:
        return ""
    prompted = receipt.order.payments.exclude(phone="").values_list("phone", flat=True)
    known = {receipt.order.mpesa_number, *prompted}
    agreeing = [each for each in known if match_phone(receipt.phone, each) == PhoneMatch.AGREES]
    return agreeing[0] if len(agreeing) == 1 else ""
