"""Input and output of orders. Outputs only describe the shapes built in representations.py."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator
from rest_framework import serializers

from omachemainproj.api.fields import MAX_ID, MpesaNumberField, WholeNumberField
from products.models import MAX_STOCK

from .collection_codes import digits_of_code
from .delivery.serializers import DeliveryInput
from .refusals import LineRequest

MAX_LINES = 100


class LinesInput(serializers.ListSerializer):
    """Lines whose errors mirror the list that was sent: ``[{}, {"number": ["…"]}]``.

    DRF itself is about to answer ``{"1": {"number": ["…"]}}`` instead.
    """

    def to_internal_value(self, data: Any) -> list[Any]:
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            by_line: Any = error.detail
            if not isinstance(by_line, dict) or not all(isinstance(at, int) for at in by_line):
                raise
            mirrored = [by_line.get(at, {}) for at in range(len(data))]
            raise serializers.ValidationError(mirrored) from error


class LineInput(serializers.Serializer):
    """One product and how many of it."""

    product = WholeNumberField(
        min_value=1,
        help_text="The product's id.",
        validators=[MaxValueValidator(MAX_ID, "This product is not for sale.")],
    )
    number = WholeNumberField(min_value=1, max_value=MAX_STOCK, help_text="How many of it.")
    price = WholeNumberField(
        min_value=1,
        required=False,
        help_text="Whole KES, each, as it was shown to the buyer; another price now is a 409.",
    )


class CashoutInput(serializers.Serializer):
    """What a buyer wants, and the phone that pays for it."""

    order = LinesInput(child=LineInput(), allow_empty=False, max_length=MAX_LINES)
    mpesa_number = MpesaNumberField(help_text="As people write it: 0712345678, +254 712 345 678.")

    amount = WholeNumberField(
        min_value=1,
        required=False,
        help_text="Whole KES in all, as it was shown to the buyer; another sum now is a 409.",
    )

    delivery = DeliveryInput(
        required=False,
        allow_null=True,
        help_text="Where to bring the goods, for a fee a seller's parcel. Without it, or with "
        "null, the caller and the sellers arrange it between them.",
    )

    def validate_order(self, lines: list[dict[str, Any]]) -> list[LineRequest]:
        return [LineRequest(**line) for line in lines]


CODE_HELP = (
    "Six digits to read out when the goods are handed over; the buyer's alone, from paid on."
)


MOVES_HELP = "Statuses to which the caller may move it now: `to` of `/track/{id}/move/`."


class CollectionCodeField(serializers.RegexField):
    """Six digits, as they are read out or copied: spaces and dashes between them are ignored."""

    default_error_messages = {"invalid": "The code has six digits."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[0-9]{6}\Z", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        typed = super().to_internal_value(data)
        # A line break is no part of one code.
        return typed if "\n" in typed else digits_of_code(typed)
