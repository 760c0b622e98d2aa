"""Inputs and outputs of signing in by phone."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from omachemainproj.api.fields import IdentifierField, MpesaNumberField

from .fields import NewPasswordField, PasswordField
from .token_serializers import SignedIn


class PhoneInput(serializers.Serializer):
    """Where the code goes."""

    phone = MpesaNumberField()


class LinkPhoneInput(PhoneInput):
    """Where the code goes, and that it is they who ask."""

    password = PasswordField(help_text="The account's own.")


class CodeSent(serializers.Serializer):
    """A code is on its way; the same whoever has the phone."""

    detail = serializers.CharField()
    token = serializers.CharField(help_text="Send it back with the code.")
    expires_in = serializers.IntegerField(help_text="Seconds for which the code is good.")
    again_in = serializers.IntegerField(help_text="Seconds until another may be asked for.")


class _TypedCode(serializers.Serializer):
    token = serializers.CharField(max_length=64, help_text="Of the answer that sent the code.")
    code = IdentifierField(max_length=32, help_text="The six digits of the SMS.")


class PhoneSignInInput(_TypedCode):
    """A phone and the code that was sent there."""

    phone = MpesaNumberField()
    password = PasswordField(
        required=False,
        allow_blank=True,
        help_text="The account's, only where the answer was `password_needed`.",
    )


class PhoneConfirmInput(_TypedCode):
    """A phone and the code that was sent there."""

    phone = MpesaNumberField()


class PhoneSignedIn(SignedIn):
    """What signing in by phone answers."""

    example: ClassVar[dict[str, Any]] = {**SignedIn.example, "is_new": False}

    is_new = serializers.BooleanField(help_text="Whether they have just joined.")


class PhoneOutput(serializers.Serializer):
    """The phone that opens the caller's account."""

    example: ClassVar[dict[str, Any]] = {"phone": "254712345678", "is_only_way_in": False}

    phone = serializers.CharField(allow_blank=True, help_text="12 digits; empty for none.")
    is_only_way_in = serializers.BooleanField(
        help_text="Whether no password opens it: then the phone cannot be taken away."
    )


class SetPasswordInput(_TypedCode):
    """The code that was sent to one's own phone, and the new password twice."""

    new_password1 = NewPasswordField()
    new_password2 = NewPasswordField()
