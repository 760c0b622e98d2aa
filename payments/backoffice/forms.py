"""Forms of the console's actions: the reason, and any other input that an action needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

from accounts.backoffice.actions import OptionalReasonForm, ReasonForm
from accounts.backoffice.conflicts import Parties, phones
from accounts.backoffice.form_fields import read_text
from omachemainproj.mpesa_limits import MAX_B2C, MAX_PAYMENT, MIN_B2C, MIN_PAYMENT
from omachemainproj.phones import normalise_phone
from omachemainproj.text import clean_shown, fold_identifier
from orders.models import MAX_TEXT
from payments.conflict_parties import (
    parties_of_named_order,
    parties_of_named_person,
    parties_of_named_receipt,
)

from .receipt_services import tidy_number

#: M-Pesa's numbers have ten letters and digits; the column holds twenty.
_NUMBER = RegexValidator(
    r"^[A-Z0-9]{6,20}$", "A receipt number has letters and digits only, for example TKB1234567."
)


class ReceiptNumber(forms.CharField):
    """An M-Pesa receipt number, without spaces and in capitals."""

    default_validators = [_NUMBER]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_python(self, value: Any) -> str:
        return tidy_number(str(super().to_python(value)))


class Phone(forms.CharField):
    """A Kenyan mobile number in any spelling, cleaned to 12 digits or an empty string."""

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
    """An order's reference in any spelling."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_python(self, value: Any) -> str:
        return fold_identifier(str(super().to_python(value)))


class OrderReferenceForm(ReasonForm):
    reference = Reference(label="Order reference", help_text="Eight letters and digits.")

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """The people involved in the order."""
        return parties_of_named_order(given["reference"])


class PhoneForm(ReasonForm):
    phone = Phone(label="M-Pesa number to send it to", help_text="As you would dial it.")

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """The owner of the number."""
        return Parties(phones=phones([given["phone"]]))


class ReceiptNumberForm(ReasonForm):
    number = ReceiptNumber(label="Receipt number on the portal")


class PartReversedForm(ReceiptNumberForm):
    amount = forms.IntegerField(
        label="Amount on the portal, KES",
        validators=[MinValueValidator(MIN_PAYMENT), MaxValueValidator(MAX_PAYMENT)],
        help_text="What M-Pesa took back: a part of the payment.",
    )


class AmountSentForm(ReceiptNumberForm):
    amount = forms.IntegerField(
        label="Amount on the portal, KES",
        validators=[MinValueValidator(MIN_B2C), MaxValueValidator(MAX_B2C)],
        help_text="What M-Pesa sent: the amount it reported, or the one that was requested.",
    )


class PaymentForm(ReasonForm):
    number = ReceiptNumber(
        label="Receipt number of the payment",
        help_text="The incoming payment, not this withdrawal.",
    )

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """The people involved in the payment."""
        return parties_of_named_receipt(given["number"])


class SellerForm(ReasonForm):
    seller = forms.CharField(max_length=150, label="User name of the seller")

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """The seller."""
        return parties_of_named_person(given["seller"])


class DecisionForm(ReasonForm):
    """The reason for a decision about a problem."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["why"].help_text = "Buyer and seller can read it. Recorded with your name."


class WholeForm(DecisionForm):
    with_fee = forms.BooleanField(
        required=False,
        label="Refund the delivery fee too",
        help_text="The fee of the whole parcel, if one was paid.",
    )


class PartForm(DecisionForm):
    amount = forms.IntegerField(
        label="Amount, KES",
        validators=[MinValueValidator(1), MaxValueValidator(MAX_PAYMENT)],
        help_text="The amount to refund. Refunding all that is left of the price cancels the line.",
    )


class ReturnForm(DecisionForm):
    goods_there = forms.TypedChoiceField(
        choices=[("", "Choose"), ("yes", "Yes, put them back into stock"), ("no", "No")],
        coerce=lambda typed: typed == "yes",
        label="The goods can be sold again",
    )


class AnswerForm(OptionalReasonForm):
    """An answer to buyer and seller, with a note that only staff can read."""

    text = forms.CharField(
        max_length=MAX_TEXT,
        label="Answer",
        help_text="Buyer and seller can read it. Your name is not shown.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        read_text(cast(forms.CharField, self.fields["text"]), clean_shown)


class SeenPaymentForm(ReasonForm):
    """A payment that a staff member saw on the portal or on a buyer's phone."""

    number = ReceiptNumber(label="M-Pesa receipt number")
    amount = forms.IntegerField(
        label="Amount, KES",
        validators=[MinValueValidator(MIN_PAYMENT), MaxValueValidator(MAX_PAYMENT)],
    )
    reference = Reference(
        required=False,
        label="Order reference",
        help_text="If empty, the payment stays on this page until it is matched to an order.",
    )
    phone = Phone(required=False, label="Paying phone", help_text="If you know it.")

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """The people involved in the order, and the owner of the number."""
        paid_from = Parties(phones=phones([given.get("phone", "")]))
        return parties_of_named_order(given.get("reference", "")) | paid_from
