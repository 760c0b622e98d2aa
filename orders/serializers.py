"""Input of a cash-out, and fields that several packages share."""

from __future__ import annotations

from math import inf
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
    """Lines whose errors have the shape of the request: ``[{}, {"number": ["…"]}]``.

    A future version of DRF returns ``{"1": {"number": ["…"]}}`` instead.
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


class _ProductField(WholeNumberField):
    """The id of a product; its own validator refuses one that no product can have."""

    largest = inf


class LineInput(serializers.Serializer):
    """A product and a number of units."""

    product = _ProductField(
        min_value=1,
        help_text="The product's id.",
        validators=[MaxValueValidator(MAX_ID, "This product is not for sale.")],
    )
    number = WholeNumberField(min_value=1, max_value=MAX_STOCK, help_text="Number of units.")
    price = WholeNumberField(
        min_value=1,
        required=False,
        help_text="Unit price in whole KES, as shown to the buyer; 409 if it is different now.",
    )


class CashoutInput(serializers.Serializer):
    """The lines to order, and the phone that pays."""

    order = LinesInput(child=LineInput(), allow_empty=False, max_length=MAX_LINES)
    mpesa_number = MpesaNumberField(help_text="As people write it: 0712345678, +254 712 345 678.")

    amount = WholeNumberField(
        min_value=1,
        required=False,
        help_text="Total in whole KES, as shown to the buyer; 409 if it is different now.",
    )

    delivery = DeliveryInput(
        required=False,
        allow_null=True,
        help_text="The destination, for a fee per seller's parcel. Without it, or with null, the "
        "caller and the sellers arrange the handover between them.",
    )

    def validate_order(self, lines: list[dict[str, Any]]) -> list[LineRequest]:
        return [LineRequest(**line) for line in lines]


CODE_HELP = "Six digits the buyer reads out at the handover (shown to the buyer only, once paid)"


MOVES_HELP = "Statuses to which the caller may move it now: `to` of `/track/{id}/move/`."
CODE_TRIES_HELP = (
    "How many more collection codes may be tried; 0: the buyer or the shop confirms the delivery."
)
REDUCED_HELP = "The part of the amount by which its price was reduced since, in whole KES."


class CollectionCodeField(serializers.RegexField):
    """Six digits; spaces and dashes between them are ignored."""

    default_error_messages = {"invalid": "The code has six digits."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[0-9]{6}\Z", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        typed = super().to_internal_value(data)
        # A line break is not part of a code.
        return typed if "\n" in typed else digits_of_code(typed)
