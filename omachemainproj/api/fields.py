"""Strict serializer fields, and functions that validate input."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NoReturn

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from omachemainproj.phones import normalise_phone
from omachemainproj.text import clean_shown, fold_identifier, is_turned

#: The largest possible id; larger numbers are not looked up.
MAX_ID = 2**63 - 1

_DIGITS = re.compile(r"-?[0-9]{1,18}")
#: A typed text may be this many times as long as its field allows: it may contain invisible
#: characters or spaces that are removed.
_LONGEST_TYPED = 8
#: A valid Idempotency-Key.
_KEY = re.compile(r"[!-~]{1,255}")


def _came_in_a_form(field: serializers.Field) -> bool:
    return isinstance(getattr(field.root, "initial_data", None), QueryDict)


class _NormalisedField(serializers.CharField):
    """A text in normal form. Direction overrides are removed, or refused with error ``turned``."""

    def __init__(self, *, turned: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._turned = turned

    def normalise(self, text: str) -> str:
        raise NotImplementedError

    def to_internal_value(self, data: Any) -> str:
        typed = super().to_internal_value(data)
        if self.max_length is not None and len(typed) > self.max_length * _LONGEST_TYPED:
            # DRF checks the length after normalising, whose cost grows with the text sent.
            self.fail("max_length", max_length=self.max_length)
        if self._turned and is_turned(typed):
            raise serializers.ValidationError(self._turned, code="invalid")
        text = self.normalise(typed)
        if not text and not self.allow_blank:
            self.fail("blank")
        return text


class ShownTextField(_NormalisedField):
    """A text, cleaned as it is stored and shown (omachemainproj.text.clean_shown)."""

    def normalise(self, text: str) -> str:
        return clean_shown(text)


class IdentifierField(_NormalisedField):
    """A code or a number, folded for comparison (omachemainproj.text.fold_identifier)."""

    def normalise(self, text: str) -> str:
        return fold_identifier(text)


class WholeNumberField(serializers.IntegerField):
    """A JSON integer, or plain ASCII digits in a text or a form. Never a boolean or a fraction."""

    default_error_messages = {
        "whole": "A whole number is needed, like 1500.",
        "too_large": "This number is too large.",
    }

    #: The limit, positive and negative, of a field without ``max_value`` or ``min_value``. JSON
    #: parsers do not agree on larger integers (RFC 8259, section 6).
    largest: float = 2**53 - 1

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and _DIGITS.fullmatch(data.strip()):
            data = int(data.strip())
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("whole")
        # The error of the field's own limit is more specific.
        too_large = self.max_value is None and data > self.largest
        if too_large or (self.min_value is None and data < -self.largest):
            self.fail("too_large")
        return data


def shortened(typed: str) -> str:
    """At most 40 characters of an invalid value, for its error message."""
    return typed if len(typed) <= 40 else f"{typed[:40]}…"


class ShortListField(serializers.ListField):
    """A list whose length is checked before its items are validated, unlike DRF's."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class OneOfField(serializers.ChoiceField):
    """One of a few values; the error message lists them."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        known = ", ".join(map(str, self.choices))
        self.error_messages["invalid_choice"] = "“{input}” is none of: " + f"{known}."

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        """Raise ValidationError, with at most 40 characters of the input."""
        if "input" in kwargs:
            kwargs["input"] = shortened(str(kwargs["input"]))
        super().fail(key, **kwargs)
        raise AssertionError


class StrictBooleanField(serializers.BooleanField):
    """A JSON true or false; in a form, the same as text. Never a number such as 1."""

    default_error_messages = {"strict": "Send true or false."}
    #: A missing value in a form does not mean false, unlike an HTML checkbox.
    default_empty_html = empty

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, str) and _came_in_a_form(self):
            data = {"true": True, "false": False}.get(data.strip().lower())
        if not isinstance(data, bool):
            self.fail("strict")
        return data


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}], "example": "0712345678"})
class MpesaNumberField(serializers.Field):
    """A Kenyan mobile number as people write it, text or JSON integer; stored as 12 digits.

    With ``allow_blank`` an empty text means no number, ``""``.
    """

    default_error_messages = {
        "invalid": "Enter a Kenyan mobile number, like 0712345678.",
    }

    def __init__(self, *, allow_blank: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._allow_blank = allow_blank

    def to_internal_value(self, data: Any) -> str:
        if self._allow_blank and isinstance(data, str) and not fold_identifier(data):
            return ""
        if isinstance(data, bool) or not isinstance(data, str | int):
            self.fail("invalid")
        try:
            return normalise_phone(data)
        except ValueError:
            self.fail("invalid")

    def to_representation(self, value: str) -> str:
        return value


def read_input(kind: type[serializers.Serializer], data: Any) -> Any:
    """Validate a body or a query with serializer ``kind``. Raises ValidationError.

    Creating a serializer costs more than validating with it, so valid input uses one per process.
    For invalid input a new one is created, so that DRF formats the errors. ``kind`` gets no
    context.
    """
    # Fields check their serializer for whether the input is a form.
    if not isinstance(data, QueryDict):
        try:
            return _checker(kind).run_validation(data)
        except serializers.ValidationError:
            pass
    own = kind(data=data)
    own.is_valid(raise_exception=True)
    return own.validated_data


@lru_cache(maxsize=64)
def _checker(kind: type[serializers.Serializer]) -> serializers.Serializer:
    return kind()


def read_idempotency_key(typed: str | None) -> str | None:
    """Return the ``Idempotency-Key`` header unchanged, or None.

    Each subject enforces it with a unique constraint of its own: orders.cashout (an order has the
    key), products.listings.services.restock_product and products.spreadsheets.row_restock (a stock
    movement has its digest); create_product there looks for it with the seller locked. Raises
    ValidationError unless it is 1 to 255 visible ASCII characters.
    """
    if typed is None:
        return None
    if not _KEY.fullmatch(typed):
        raise serializers.ValidationError(
            {"Idempotency-Key": ["Send 1 to 255 visible ASCII characters, or no key."]}
        )
    return typed
