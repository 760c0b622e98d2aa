"""Comparing the code that a buyer reads out when goods are handed over."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet

from omachemainproj.api.errors import refuse_field
from omachemainproj.text import fold_identifier

from .models import OrderTrack, Parcel
from .models.lines import MAX_CODE_MISSES


def check_code(lines: Sequence[OrderTrack], code: str) -> None:
    """Compare a code with those the buyer was given for these lines, one of which is enough.

    Each try is counted before it is compared, and committed. The tries at all lines of a parcel
    count together, whether at one of them or at the whole: more lines are no more guesses.

    Raises FieldRefusal for a wrong code, and for any code after too many wrong ones.
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
    # All are compared: how long it takes tells nothing.
    agree = [hmac.compare_digest(line.collection_code.encode(), code.encode()) for line in lines]
    if not any(agree):
        refuse_field("code", "This is not the buyer's code. Check it and try again.", "wrong_code")
    counted.update(code_misses=F("code_misses") - 1)


def digits_of_code(typed: str) -> str:
    """A collection code as it was given: without the spaces and dashes it is read out with."""
    return "".join(fold_identifier(typed).replace("-", " ").split())
