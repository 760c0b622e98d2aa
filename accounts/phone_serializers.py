"""Inputs and outputs of signing in by phone."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from omachemainproj.api.fields import IdentifierField, MpesaNumberField

from .fields import NewPasswordField, PasswordField
from .token_serializers import SignedIn


class PhoneInput(serializers.Serializer):
    """The phone to send a code to."""

    phone = MpesaNumberField()


class LinkPhoneInput(PhoneInput):
    """The phone to send a code to, and the account's password."""

    password = PasswordField(help_text="The account's password.")


class CodeSent(serializers.Serializer):
    """A code was sent; the same response for any phone."""

    detail = serializers.CharField()
    token = serializers.CharField(help_text="Send it back with the code.")
    expires_in = serializers.IntegerField(help_text="Seconds until the code expires.")
    again_in = serializers.IntegerField(help_text="Seconds until another may be requested.")


class _TypedCode(serializers.Serializer):
    token = serializers.CharField(
        max_length=64, help_text="The token from the response that sent the code."
    )
    code = IdentifierField(max_length=32, help_text="The six digits of the SMS.")


class PhoneSignInInput(_TypedCode):
    """A phone and the code that was sent there."""

    phone = MpesaNumberField()
    password = PasswordField(
        required=False,
        allow_blank=True,
        help_text="The account's, only after the response `password_needed`.",
    )


class PhoneConfirmInput(_TypedCode):
    """A phone and the code that was sent there."""

    phone = MpesaNumberField()


class PhoneSignedIn(SignedIn):
    """The response to signing in by phone."""

    example: ClassVar[dict[str, Any]] = {**SignedIn.example, "is_new": False}

    is_new = serializers.BooleanField(help_text="Whether the account was just created.")


class PhoneOutput(serializers.Serializer):
    """The phone linked to the caller's account."""

    example: ClassVar[dict[str, Any]] = {"phone": "254712345678", "is_only_way_in": False}

    phone = serializers.CharField(allow_blank=True, help_text="12 digits; empty for none.")
    is_only_way_in = serializers.BooleanField(
        help_text="True if the account has no password; the phone cannot be removed then."
    )


class SetPasswordInput(_TypedCode):
    """The code sent to the linked phone, and the new password twice."""

    new_password1 = NewPasswordField()
    new_password2 = NewPasswordField()
