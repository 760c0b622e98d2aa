"""Inputs and outputs of issuing, renewing and revoking tokens."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from .serializers import Done, UserOutput

TOKEN_MAX = 4096
_ASKED = "Only if `Token-Transport` was sent. "


class _Lifetimes(serializers.Serializer):
    """The tokens' lifetimes, relative to the response: a phone's clock may be wrong."""

    access_expires_in = serializers.IntegerField(
        required=False, help_text=_ASKED + "Seconds until the access token expires."
    )
    refresh_expires_in = serializers.IntegerField(
        required=False, help_text=_ASKED + "Seconds until the refresh token expires."
    )


class SignedIn(_Lifetimes):
    """The response to registering and signing in."""

    example: ClassVar[dict[str, Any]] = {
        "access": "eyJ…",
        "refresh": "eyJ…",
        "user": UserOutput.example,
    }

    access = serializers.CharField(help_text="Send it as `Authorization: Bearer …`.")
    refresh = serializers.CharField(
        help_text="Exchange it, once, at /token/refresh/. Empty if it is in a cookie."
    )
    user = UserOutput()


class RefreshInput(serializers.Serializer):
    """A refresh token."""

    example: ClassVar[dict[str, Any]] = {"refresh": "eyJ…"}

    refresh = serializers.CharField(max_length=TOKEN_MAX)


class RefreshInputOrCookie(serializers.Serializer):
    """A refresh token, unless it is in the cookie."""

    example: ClassVar[dict[str, Any]] = {"refresh": "eyJ…"}

    refresh = serializers.CharField(
        max_length=TOKEN_MAX,
        required=False,
        help_text="Required unless it is in the cookie.",
    )


class RefreshOutput(_Lifetimes):
    """The new pair of tokens, and when each expires."""

    access = serializers.CharField()
    refresh = serializers.CharField(help_text="Empty where it is in a cookie.")
    access_expiration = serializers.DateTimeField()
    refresh_expiration = serializers.DateTimeField()


class TokenInput(serializers.Serializer):
    """Any token."""

    example: ClassVar[dict[str, Any]] = {"token": "eyJ…"}

    token = serializers.CharField(max_length=TOKEN_MAX)


class PasswordChanged(Done, _Lifetimes):
    """The response to changing the password, with the new tokens."""

    example: ClassVar[dict[str, Any]] = {
        "detail": "New password has been saved.",
        "access": "eyJ…",
        "refresh": "eyJ…",
    }

    access = serializers.CharField()
    refresh = serializers.CharField(help_text="Empty where it is in a cookie.")
