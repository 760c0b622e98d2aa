"""Input and output of addresses and counties."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.counties import County
from accounts.models import Address
from omachemainproj.api.fields import MpesaNumberField, ShownTextField, StrictBooleanField
from omachemainproj.text import has_controls, tidy_line

_TURNED = "This text has signs that turn the order of its letters."
_COUNTY = "There is no such county. Send the key of one, as GET /counties/ lists them."


class LineField(ShownTextField):
    """A line of text in the form it is stored; line breaks become single spaces."""

    default_error_messages = {"controls": "This text has signs that cannot be shown."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(turned=_TURNED, **kwargs)

    def normalise(self, text: str) -> str:
        line = tidy_line(text)
        if has_controls(line):
            self.fail("controls")
        return line


class CountyField(serializers.ChoiceField):
    """The key of a county."""

    default_error_messages = {"invalid_choice": _COUNTY}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=County.choices, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice")
        return str(super().to_internal_value(data))


class AddressInput(serializers.Serializer):
    """The input for an address."""

    label = LineField(  # type: ignore[assignment]  # DRF takes the fields off the class
        required=False, allow_blank=True, max_length=30, help_text="Like “home” or “shop”."
    )
    recipient = LineField(max_length=100, help_text="The recipient's name.")
    phone = MpesaNumberField(help_text="In any common notation; the agent calls it.")
    county = CountyField(help_text="A key from `/counties/`.")
    area = LineField(max_length=100, help_text="Town, estate or street.")
    directions = LineField(
        required=False,
        allow_blank=True,
        max_length=300,
        help_text="A landmark, or how to find it.",
    )
    is_default = StrictBooleanField(required=False, help_text="Whether it is preselected in forms.")
    is_collection_place = StrictBooleanField(
        required=False, help_text="Whether goods the user sells are collected there."
    )


class AddressOutput(serializers.ModelSerializer):
    """An address as its owner sees it."""

    phone = serializers.CharField(help_text="12 digits: 2547… or 2541….")
    county_name = serializers.CharField(source="get_county_display", read_only=True)

    class Meta:
        model = Address
        fields = (
            "id",
            "label",
            "recipient",
            "phone",
            "county",
            "county_name",
            "area",
            "directions",
            "is_default",
            "is_collection_place",
        )
        read_only_fields = fields


class CountyOutput(serializers.Serializer):
    """One of Kenya's counties."""

    key = serializers.CharField(help_text="The value for an address.")
    name = serializers.CharField()
