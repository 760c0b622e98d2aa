"""What staff type for an action of the console: always the reason, and what the action needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

from accounts.backoffice.actions import OptionalReasonForm, ReasonForm
from accounts.backoffice.admin import read_text
from accounts.backoffice.conflicts import Parties, phones
from omachemainproj.mpesa_limits import MAX_PAYMENT, MIN_PAYMENT
from omachemainproj.phones import normalise_phone
from omachemainproj.text import clean_shown, fold_identifier
from orders.models import MAX_TEXT
from payments.interest import (
    parties_of_named_order,
    parties_of_named_person,
    parties_of_named_receipt,
)

from .receipt_services import tidy_number

#: M-Pesa's are ten letters and digits; the column takes twenty.
_NUMBER = RegexValidator(
    r"^[A-Z0-9]{6,20}$", "A receipt number is letters and digits, such as TKB1234567."
)


class ReceiptNumber(forms.CharField):
    """M-Pesa's receipt number: spaces taken out, small letters made capitals."""

    default_validators = [_NUMBER]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_python(self, value: Any) -> str:
        return tidy_number(str(super().to_python(value)))


class Phone(forms.CharField):
    """A Kenyan mobile number, as people write it; 12 digits, or empty, as it is cleaned."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_python(self, value: Any) -> str:
        return fold_identifier(str(super().to_python(value)))

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        try:
            return normalise_phone(typed) if typed else ""
        except ValueError as error:
            raise forms.ValidationError("This is not a Kenyan mobile number.") from error


class Reference(forms.CharField):
    """An order's reference, as people write it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_python(self, value: Any) -> str:
        return fold_identifier(str(super().to_python(value)))


class OrderReferenceForm(ReasonForm):
    reference = Reference(label="Reference of the order", help_text="Eight letters and digits.")

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """Who has a part in the order."""
        return parties_of_named_order(given["reference"])


class PhoneForm(ReasonForm):
    phone = Phone(label="M-Pesa number it goes to", help_text="As you would dial it.")

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """Whose number it is."""
        return Parties(phones=phones([given["phone"]]))


class ReceiptNumberForm(ReasonForm):
    number = ReceiptNumber(label="Receipt number on the portal")


class PaymentForm(ReasonForm):
    number = ReceiptNumber(
        label="Receipt number of the payment", help_text="Of the one that came, not of this one."
    )

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """Who has a part in the payment."""
        return parties_of_named_receipt(given["number"])


class SellerForm(ReasonForm):
    seller = forms.CharField(max_length=150, label="User name of the seller")

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """The seller."""
        return parties_of_named_person(given["seller"])


class DecisionForm(ReasonForm):
    """Why a problem is decided so."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["why"].help_text = "Buyer and seller read it. Recorded with your name."


class WholeForm(DecisionForm):
    with_fee = forms.BooleanField(
        required=False,
        label="Give the delivery fee back too",
        help_text="Of the whole parcel, where one was paid.",
    )


class PartForm(DecisionForm):
    amount = forms.IntegerField(
        label="Amount, KES",
        validators=[MinValueValidator(1), MaxValueValidator(MAX_PAYMENT)],
        help_text="What goes back; all that is left of the price cancels the line.",
    )


class ReturnForm(DecisionForm):
    goods_there = forms.TypedChoiceField(
        choices=[("", "Choose"), ("yes", "Yes, put them on the shelf"), ("no", "No")],
        coerce=lambda typed: typed == "yes",
        label="The goods are there to be sold again",
    )


class AnswerForm(OptionalReasonForm):
    """What is said to buyer and seller; the note is for the shop alone."""

    text = forms.CharField(
        max_length=MAX_TEXT,
        label="Answer",
        help_text="Buyer and seller read it, without your name.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        read_text(cast(forms.CharField, self.fields["text"]), clean_shown)


class SeenPaymentForm(ReasonForm):
    """A payment that somebody has seen on the portal, or on a buyer's phone."""

    number = ReceiptNumber(label="M-Pesa receipt number")
    amount = forms.IntegerField(
        label="Amount, KES",
        validators=[MinValueValidator(MIN_PAYMENT), MaxValueValidator(MAX_PAYMENT)],
    )
    reference = Reference(
        required=False,
        label="Reference of the order",
        help_text="Left empty, the money waits here until it is given to an order.",
    )
    phone = Phone(required=False, label="Phone that paid", help_text="If it is known.")

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """Who has a part in the order, and whose number it is."""
        paid_from = Parties(phones=phones([given.get("phone", "")]))
        return parties_of_named_order(given.get("reference", "")) | paid_from
