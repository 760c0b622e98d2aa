"""What a decision about money is, and what a person types for it: always why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

from accounts.backoffice.actions import ReasonForm
from omachemainproj.mpesa_limits import MAX_PAYMENT, MIN_PAYMENT
from omachemainproj.phones import normalise_phone

#: M-Pesa's are ten letters and digits; the column takes twenty.
_NUMBER = RegexValidator(
    r"^[A-Z0-9]{6,20}$", "A receipt number is letters and digits, such as TKB1234567."
)


class ReceiptNumber(forms.CharField):
    """M-Pesa's receipt number, spaces and small letters put right."""

    default_validators = [_NUMBER]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_python(self, value: Any) -> str:
        return "".join(str(super().to_python(value)).upper().split())


class Phone(forms.CharField):
    """A Kenyan mobile number, as people write it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        try:
            return normalise_phone(typed) if typed else ""
        except ValueError as error:
            raise forms.ValidationError("This is not a Kenyan mobile number.") from error


@dataclass(frozen=True, slots=True)
class Decision:
    """Something a person may do about a row.

    ``applies`` tells whether to offer it; whether it can be done the service alone knows, under
    its locks. ``do`` calls that service and returns a sentence about what came of it.
    """

    key: str
    label: str
    about: str
    applies: Callable[[Any], bool]
    do: Callable[[Any, Mapping[str, Any]], str]
    form: type[ReasonForm] = ReasonForm
    #: It asks M-Pesa, so it cannot be one transaction with its record, which is made before.
    asks: bool = False


class GiveToOrder(ReasonForm):
    reference = forms.CharField(
        max_length=40, label="Reference of the order", help_text="Eight letters and digits."
    )


class SendTo(ReasonForm):
    phone = Phone(label="M-Pesa number it goes to", help_text="As you would dial it.")


class Numbered(ReasonForm):
    number = ReceiptNumber(label="Receipt number on the portal")


class WriteDown(ReasonForm):
    """A payment that somebody has seen on the portal, or on a buyer's phone."""

    number = ReceiptNumber(label="M-Pesa receipt number")
    amount = forms.IntegerField(
        label="Amount, KES",
        validators=[MinValueValidator(MIN_PAYMENT), MaxValueValidator(MAX_PAYMENT)],
    )
    reference = forms.CharField(
        max_length=40,
        required=False,
        label="Reference of the order",
        help_text="Left empty, the money waits here until it is given to an order.",
    )
    phone = Phone(required=False, label="Phone that paid", help_text="If it is known.")
