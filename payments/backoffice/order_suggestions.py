"""Suggestions of the order that an unmatched payment may be for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Max

from omachemainproj.phones import PhoneMatch, match_phone, read_masked_phone
from orders.lookup import letters_of_reference
from orders.models import REFERENCE_ALPHABET, REFERENCE_LENGTH, Order, PaymentStatus
from payments.models import Receipt
from payments.payment_matching import matching_paid_prompts

#: The newest orders in which to look for the same amount.
_RECENT = 5000
#: Suggestions shown, and orders of the same amount considered for them.
_MAX_SUGGESTIONS, _MAX_CONSIDERED = 5, 200


class Suggestion(NamedTuple):
    """An order, and why it may be the right one."""

    order: Order
    why: str


ONE_LETTER_OFF = "one letter off"
WITHOUT_NUMBER = "a prompt was paid whose receipt number is not known: this may be it"


def suggest_orders(receipt: Receipt) -> list[Suggestion]:
    """Orders the payer may have meant, likeliest first. Six queries."""
    found = {
        attempt.order_id: Suggestion(attempt.order, WITHOUT_NUMBER)
        for attempt in matching_paid_prompts(receipt)
    }
    misspelt = Order.objects.filter(reference__in=set(_misspellings(receipt.reference)))
    for order in misspelt[:_MAX_SUGGESTIONS]:
        found.setdefault(order.pk, Suggestion(order, ONE_LETTER_OFF))
    newest = Order.objects.aggregate(newest=Max("pk"))["newest"] or 0
    same = Order.objects.filter(
        payment_status__in=(
            PaymentStatus.REQUESTED,
            PaymentStatus.EXPIRED,
            PaymentStatus.CANCELLED,
        ),
        amount=receipt.amount,
        pk__gt=newest - _RECENT,
    ).prefetch_related("payments")
    for order in same.order_by("-pk")[:_MAX_CONSIDERED]:
        if _phone_matches(receipt.phone, order):
            found.setdefault(order.pk, Suggestion(order, "same amount and matching phone"))
        elif order.is_unpaid and not any(letter.isdigit() for letter in receipt.phone):
            found.setdefault(order.pk, Suggestion(order, "same amount, not paid yet"))
    return sorted(found.values(), key=lambda each: _likelihood(each, receipt))[:_MAX_SUGGESTIONS]


def _phone_matches(shown: str, order: Order) -> bool:
    """Whether a number that the order was to be paid from matches the one a provider shows."""
    known = {order.mpesa_number, *(each.phone for each in order.payments.all() if each.phone)}
    return any(may_be(shown, number) for number in known)


def may_be(shown: str, number: str) -> bool:
    """Whether a number matches the one a provider shows: in full, hashed, or masked.

    A masked one must show at least three digits, or too many numbers would match.
    """
    match = match_phone(shown, number)
    if match != PhoneMatch.UNCLEAR:
        return match == PhoneMatch.AGREES
    masked = read_masked_phone(shown)
    return masked is not None and len(masked.start + masked.end) >= 3


def _likelihood(suggestion: Suggestion, receipt: Receipt) -> tuple[bool, bool, bool, bool, int]:
    order = suggestion.order
    return (
        suggestion.why != WITHOUT_NUMBER,
        suggestion.why != ONE_LETTER_OFF,
        order.amount != receipt.amount,
        not order.is_unpaid,
        -order.pk,
    )


def _misspellings(typed: str) -> Iterator[str]:
    """Every reference with one letter changed, missing, added or swapped with the next."""
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
