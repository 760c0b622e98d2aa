"""Finds an order by its token, its reference, its buyer's user name or its recipient.

The search by paying phone is in payments.admin.money_lookup.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from math import prod
from typing import Any
from uuid import UUID

from accounts.models import User
from omachemainproj.phones import normalise_phone
from omachemainproj.text import fold_identifier

from .models import REFERENCE_ALPHABET, REFERENCE_LENGTH, Order, OrderDelivery


def find_orders(typed: str) -> dict[str, Any]:
    """Return the filter on orders for a search term, or {} when nothing matches.

    The term is tried as an order token, a reference and a user name, in this order, each by exact
    match in an index.
    """
    typed = fold_identifier(typed)
    try:
        return {"order_token": UUID(typed)}
    except ValueError:
        pass
    reference = typed.replace(" ", "").upper()
    if Order.objects.filter(reference=reference).exists():
        return {"reference": reference}
    buyer = User.objects.called(typed).values_list("pk", flat=True).first()
    return {"buyer": buyer} if buyer else {}


#: Minimum length of a name prefix; shorter ones match too many names.
_FEWEST = 3


def deliveries_to(typed: str, most: int) -> list[OrderDelivery]:
    """Return deliveries by recipient: a phone, or a name or its beginning.

    With their orders, at most ``most``, newest first per phone or name. One query.
    """
    deliveries = OrderDelivery.objects.select_related("order")
    try:
        phone = normalise_phone(typed)
    except ValueError:
        pass
    else:
        return list(deliveries.received_at(phone).order_by("-order")[:most])
    name = " ".join(typed.split())
    if len(name) < _FEWEST:
        return []
    following: Any = deliveries.received_from(name)[:most]
    return [each for each in following if each.lower_name.startswith(name.lower())]


#: Characters that never occur in references (REFERENCE_ALPHABET), with those they may be a misread
#: form of.
_LOOK_ALIKES = {
    "0": "QDC",
    "O": "QDC",
    "1": "LJT",
    "I": "LJT",
    "2": "7",
    "Z": "7",
    "5": "6",
    "S": "6",
    "8": "R3",
    "B": "R3",
}
#: With more possible readings than this, nothing is looked up.
_READINGS = 64


def find_by_typed_reference(typed: str) -> int | None:
    """Return the id of the order whose reference was typed, or None if that is not certain.

    Case, spaces, punctuation, invisible characters and words around the reference are ignored.
    Full-width letters are read as plain ones, and characters that references never contain as those
    they look like. None if two orders match.
    """
    letters = letters_of_reference(typed)
    windows = {
        letters[at : at + REFERENCE_LENGTH] for at in range(len(letters) - REFERENCE_LENGTH + 1)
    }
    exact = {window for window in windows if set(window) <= set(REFERENCE_ALPHABET)}
    found = _orders_of(exact) or _orders_of(
        reading for window in windows for reading in _readings(window)
    )
    return found[0] if len(found) == 1 else None


def letters_of_reference(typed: str) -> str:
    """Return the letters, as capitals, and digits of a typed reference, and nothing else."""
    capitals = fold_identifier(typed).upper()
    return "".join(letter for letter in capitals if letter.isascii() and letter.isalnum())


def _orders_of(references: Iterable[str]) -> list[int]:
    wanted = set(references)
    if not wanted:
        return []
    return list(Order.objects.filter(reference__in=wanted).values_list("pk", flat=True)[:2])


def _readings(window: str) -> Iterable[str]:
    choices = [_LOOK_ALIKES.get(letter, letter) for letter in window]
    if prod(map(len, choices)) > _READINGS:
        return []
    return ("".join(letters) for letters in product(*choices))
