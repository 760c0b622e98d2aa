"""Collection codes: the buyer reads one out when the goods are handed over."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any, NoReturn

from django.db.models import F, QuerySet

from omachemainproj.api.errors import refuse_field
from omachemainproj.text import fold_identifier

from .models import OrderTrack, Parcel
from .models.lines import MAX_CODE_MISSES


def check_code(lines: Sequence[OrderTrack], code: str) -> None:
    """Check a code against the codes of these lines; matching one of them is enough.

    Each attempt is counted before the comparison, and committed. Attempts at all lines of a parcel
    count together, so that more lines do not allow more guesses.

    Raises FieldRefusal for a wrong code, with how many more may be tried, and for any code after
    too many wrong ones.
    """
    parcel_id = lines[0].parcel_id
    counted: QuerySet[Any] = OrderTrack.objects.filter(pk=lines[0].pk)
    if parcel_id is not None:
        counted = Parcel.objects.filter(pk=parcel_id)
    if not counted.filter(code_misses__lt=MAX_CODE_MISSES).update(code_misses=F("code_misses") + 1):
        refuse_field(
            "code",
            "Too many wrong codes were entered. The buyer or the shop must confirm delivery "
            "instead.",
            "code_used_up",
        )
    # Compare all of them, so that the time taken reveals nothing.
    agree = [hmac.compare_digest(line.collection_code.encode(), code.encode()) for line in lines]
    if not any(agree):
        _refuse_wrong_code(tries_left(counted.values_list("code_misses", flat=True).get()))
    counted.update(code_misses=F("code_misses") - 1)


def misses_of(row: Any) -> int:
    """Return how many wrong codes count against a line: its own, or those of its parcel."""
    misses: int = row.code_misses if row.parcel_id is None else row.parcel__code_misses
    return misses


def tries_left(misses: int) -> int:
    """Return how many more codes may be tried after this many wrong ones."""
    return max(MAX_CODE_MISSES - misses, 0)


def _refuse_wrong_code(left: int) -> NoReturn:
    if left == 0:
        refuse_field(
            "code",
            "This is not the buyer's code, and no try is left. The buyer or the shop must confirm "
            "delivery instead.",
            "code_used_up",
        )
    if left == 1:
        refuse_field(
            "code",
            "This is not the buyer's code. Check it and try again. One try is left.",
            "wrong_code",
        )
    refuse_field(
        "code",
        f"This is not the buyer's code. Check it and try again. {left} tries are left.",
        "wrong_code",
    )


def digits_of_code(typed: str) -> str:
    """Return a typed code without the spaces and dashes people add."""
    return "".join(fold_identifier(typed).replace("-", " ").split())
