"""Finding an order by what a caller reads out: its token, its reference, its buyer's name.

The search by the phone that paid is payments.admin.lookup.
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
    """Return the filter on orders for what was typed, or an empty dict when nothing matches.

    It is looked up as an order token, a reference and a user name, in this order, each exactly and
    in an index.
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


#: Fewer letters begin too many names.
_FEWEST = 3


def deliveries_to(typed: str, most: int) -> list[OrderDelivery]:
    """Deliveries that are received at this phone, or by whom this is the name or how it begins.

    With their orders, at most ``most``; of one phone or name the newest. One query.
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


#: Characters that people read or type in place of those of a reference, and which it may have been.
#: References contain none of them (REFERENCE_ALPHABET).
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
#: With more possible readings than these, nothing is looked up.
_READINGS = 64


def find_by_typed_reference(typed: str) -> int | None:
    """Return the id of the order a person meant, or None when that is not certain.

    Case, spaces, punctuation, invisible signs and words around the reference are ignored. Wide
    letters are read as plain ones, and a character that references never contain as those it looks
    like. When two orders match, it is None.
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
    """The capital letters and digits of what was typed as a reference, and nothing else."""
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
