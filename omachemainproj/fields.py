"""Serializer fields that read strictly what looser ones would guess at."""

from __future__ import annotations

import re
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from .phones import normalise_phone

_DIGITS = re.compile(r"[0-9]{1,18}")


class WholeNumberField(serializers.IntegerField):
    """A JSON integer; in a form, plain ASCII digits. Never a boolean, a text or a fraction."""

    default_error_messages = {"whole": "A whole number is needed, like 1500."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and self._came_in_a_form() and _DIGITS.fullmatch(data.strip()):
            data = int(data.strip())
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("whole")
        return data

    def _came_in_a_form(self) -> bool:
        return isinstance(getattr(self.root, "initial_data", None), QueryDict)


class StrictBooleanField(serializers.BooleanField):
    """A JSON true or false. Never a text or a number that looks like one."""

    default_error_messages = {"strict": "Send true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("strict")
        return data


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}], "example": "0712345678"})
class MpesaNumberField(serializers.Field):
    """A Kenyan mobile number as people write it, text or JSON integer; kept as 12 digits."""

    default_error_messages = {
        "invalid": "Enter a Kenyan mobile number, like 0712345678.",
    }

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, str | int):
            self.fail("invalid")
        try:
            return normalise_phone(data)
        except ValueError:
            self.fail("invalid")

    def to_representation(self, value: str) -> str:
        return value


class SwitchField(serializers.BooleanField):
    """JSON's ``true`` or ``false``. Never 1, ``"yes"`` or null."""

    default_error_messages = {"switch": "This is true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("switch")
        return data
