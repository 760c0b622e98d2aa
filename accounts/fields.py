"""Serializer fields of passwords, user names, people's names and e-mail addresses."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from omachemainproj.api.fields import ShownTextField
from omachemainproj.text import fold_password

from . import names
from .lookalikes import impersonates_shop
from .validators import (
    EMAIL_MAX,
    PASSWORD_MAX,
    USERNAME_MAX,
    UsernameValidator,
    has_public_domain,
    normalise_email,
    normalise_username,
)


class PasswordField(serializers.CharField):
    """A password exactly as typed; one over 128 characters is refused before it is hashed.

    Not normalised, since older passwords were hashed as typed.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", PASSWORD_MAX)
        kwargs.setdefault("style", {"input_type": "password"})
        super().__init__(trim_whitespace=False, write_only=True, **kwargs)


class NewPasswordField(PasswordField):
    """A password in the normalised form in which it is validated and hashed."""

    def to_internal_value(self, data: Any) -> str:
        password = fold_password(super().to_internal_value(data))
        if not password:
            self.fail("blank")
        return password


class UsernameField(serializers.CharField):
    """A username in the form it is stored."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=USERNAME_MAX, validators=[UsernameValidator()], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return normalise_username(super().to_internal_value(data))


class ShownNameField(ShownTextField):
    """A user's displayed name, which must not look like the shop's or M-Pesa's."""

    default_error_messages = {"poses": names.NAME_IS_RESERVED}

    def to_internal_value(self, data: Any) -> str:
        shown = super().to_internal_value(data)
        if impersonates_shop(shown):
            self.fail("poses")
        return shown


class EmailField(serializers.EmailField):
    """An e-mail in the form it is stored; ``""`` or null means none."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("allow_blank", True)
        super().__init__(max_length=EMAIL_MAX, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        email = normalise_email(super().to_internal_value(data))
        if email and not has_public_domain(email):
            self.fail("invalid")
        return email
