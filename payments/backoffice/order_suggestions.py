"""Which orders may be meant by money that came without one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Max

from omachemainproj.phones import normalise_phone, read_masked_phone
from orders.lookup import letters_of_reference
from orders.models import REFERENCE_ALPHABET, REFERENCE_LENGTH, Order, PaymentStatus
from payments.models import Receipt

#: How many orders back a payment is looked for by its amount.
RECENT = 5000
#: What is suggested at most, and how many orders are weighed for that.
MOST, WEIGHED = 5, 200


class Suggestion(NamedTuple):
    """An order, and why it may be the one."""

    order: Order
    why: str


ONE_LETTER_OFF = "one letter off"


def suggest_orders(receipt: Receipt) -> list[Suggestion]:
    """Orders the payer may have meant, likeliest first. Three queries."""
    misspelt = Order.objects.filter(reference__in=set(_misspellings(receipt.reference)))
    found = {order.pk: Suggestion(order, ONE_LETTER_OFF) for order in misspelt[:MOST]}
    newest = Order.objects.aggregate(newest=Max("pk"))["newest"] or 0
    same = Order.objects.filter(
        payment_status__in=(
            PaymentStatus.REQUESTED,
            PaymentStatus.EXPIRED,
            PaymentStatus.CANCELLED,
        ),
        amount=receipt.amount,
        pk__gt=newest - RECENT,
    )
    for order in same.order_by("-pk")[:WEIGHED]:
        if matches_masked(receipt.phone, order.mpesa_number):
            found.setdefault(order.pk, Suggestion(order, "same amount, and the phone fits"))
        elif order.is_unpaid and not any(letter.isdigit() for letter in receipt.phone):
            found.setdefault(order.pk, Suggestion(order, "same amount, not paid yet"))
    return sorted(found.values(), key=lambda each: _likelihood(each, receipt))[:MOST]


def matches_masked(shown: str, number: str) -> bool:
    """Whether a number may be the one a provider shows, in full or with its middle hidden.

    Hidden, at least three of its digits have to be shown.
    """
    try:
        return normalise_phone(shown) == number
    except ValueError:
        pass
    masked = read_masked_phone(shown)
    return masked is not None and len(masked.start + masked.end) >= 3 and masked.fits(number)


def _likelihood(suggestion: Suggestion, receipt: Receipt) -> tuple[bool, bool, bool, int]:
    order = suggestion.order
    return (
        suggestion.why != ONE_LETTER_OFF,
        order.amount != receipt.amount,
        not order.is_unpaid,
        -order.pk,
    )


def _misspellings(typed: str) -> Iterator[str]:
    """Every reference that is one letter from what was typed: another, missing, extra, swapped."""
    letters = letters_of_reference(typed)
    if abs(len(letters) - REFERENCE_LENGTH) > 1:
        return
    for at in range(len(letters) + 1):
        before, after = letters[:at], letters[at:]
        yield before + after[1:]
        yield before + after[1:2] + after[:1] + after[2:]
        for letter in REFERENCE_ALPHABET:
            yield before + letter + after[1:]
            yield before + letter + after
