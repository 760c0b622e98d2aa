"""Form fields of admin pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


class KnownChoices(forms.ModelMultipleChoiceField):
    """A multiple choice of rows that also refuses ids larger than an integer column."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError as error:
            # SQLite raises instead of finding nothing.
            raise ValidationError("One of the selected values is not a valid choice.") from error


def read_text(field: forms.CharField, normalise: Callable[[str], str]) -> None:
    """Make a form field normalise typed text before validating it."""
    to_python = field.to_python

    def read(typed: Any) -> Any:
        return to_python(normalise(typed) if isinstance(typed, str) else typed)

    field.to_python = read  # type: ignore[method-assign,assignment]
