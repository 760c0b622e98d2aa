"""Inputs and outputs of the account endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import CharField
from rest_framework import serializers

from omachemainproj.api.fields import (
    MpesaNumberField,
    OneOfField,
    ShownTextField,
    StrictBooleanField,
)
from omachemainproj.images import KEEP, PictureField
from omachemainproj.media import is_its_own_address

from . import names, services
from .emails import send_reset_link
from .fields import EmailField, NewPasswordField, PasswordField, ShownNameField, UsernameField
from .lookalikes import impersonates_shop
from .models import Language, MessagePreferences, Session, SessionKind, User
from .preferences import change_preferences
from .second_factor import CODE_MAX
from .validators import EMAIL_MAX


class UserOutput(serializers.ModelSerializer):
    """The user's own view of their account."""

    example: ClassVar[dict[str, Any]] = {
        "pk": 12,
        "username": "wanjiku",
        "email": "wanjiku@example.com",
        "first_name": "Wanjiku",
        "last_name": "Kamau",
    }

    email = serializers.CharField(read_only=True, help_text="Empty where none was given.")

    class Meta:
        model = User
        fields = ("pk", "username", "email", "first_name", "last_name")
        read_only_fields = fields


class UserDetails(UserOutput):
    """The user's own view of their account, with their phone."""

    example: ClassVar[dict[str, Any]] = {
        **UserOutput.example,
        "email_confirmed": True,
        "phone": "254712345678",
    }

    email_confirmed = serializers.SerializerMethodField(
        help_text="Whether the link in the mail was followed: until then nothing else is mailed."
    )

    phone = serializers.CharField(
        read_only=True,
        help_text="12 digits: 2547… or 2541…; empty if unknown. Taken from the first paid "
        "order, until the user sets it.",
    )

    class Meta:
        model = User
        fields = (*UserOutput.Meta.fields, "email_confirmed", "phone")
        read_only_fields = fields

    def get_email_confirmed(self, user: User) -> bool:
        return user.email_confirmed_at is not None


class RegistrationInput(serializers.Serializer):
    """A new account."""

    example: ClassVar[dict[str, Any]] = {
        "username": "wanjiku",
        "email": "wanjiku@example.com",
        "password1": "githeri 4 chapati",
        "password2": "githeri 4 chapati",
    }

    username = UsernameField()
    email = EmailField(required=False, allow_null=True)
    password1 = NewPasswordField()
    password2 = NewPasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["email"] = attrs.get("email") or ""
        errors = services.taken(username=attrs["username"], email=attrs["email"])
        if errors:
            raise serializers.ValidationError(errors)
        newcomer = User(username=attrs["username"], email=attrs["email"])
        check_new_password(attrs, newcomer, "password1", "password2")
        return attrs

    def save(self, **kwargs: Any) -> User:
        """Create the account. ``language``: that of its messages."""
        return services.register(
            username=self.validated_data["username"],
            email=self.validated_data["email"],
            password=self.validated_data["password1"],
            **kwargs,
        )


class ConfirmEmailInput(serializers.Serializer):
    """The key of a confirmation link."""

    example: ClassVar[dict[str, Any]] = {"key": "MTI:1vNq2B:3pZ0c5"}

    key = serializers.CharField(max_length=1024)


class LoginInput(serializers.Serializer):
    """A name and a password; username and e-mail are accepted in either field."""

    example: ClassVar[dict[str, Any]] = {"username": "wanjiku", "password": "githeri 4 chapati"}

    username = serializers.CharField(required=False, allow_blank=True, max_length=EMAIL_MAX)
    email = serializers.CharField(required=False, allow_blank=True, max_length=EMAIL_MAX)
    password = PasswordField()
    code = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=CODE_MAX,
        write_only=True,
        help_text="The authenticator app's code, or a recovery code; needed after the response "
        "`mfa_required`.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        name = attrs.get("email") or attrs.get("username")
        if not name:
            raise serializers.ValidationError({"username": ["Give a username or an e-mail."]})
        user = services.sign_in(
            self.context["request"]._request,
            name=name,
            password=attrs["password"],
            code=attrs.get("code", ""),
        )
        if user is None:
            raise serializers.ValidationError("Unable to log in with provided credentials.")
        return {"user": user}


class Done(serializers.Serializer):
    """A message about the result."""

    example: ClassVar[dict[str, Any]] = {"detail": "ok"}

    detail = serializers.CharField()


class SessionOutput(serializers.ModelSerializer):
    """One session of a user."""

    kind = serializers.ChoiceField(SessionKind.choices, help_text="`admin` uses a cookie.")
    last_used_at = serializers.DateTimeField(
        help_text="When its tokens were last renewed; at least every five minutes of use."
    )
    expires_at = serializers.DateTimeField(help_text="When it ends if unused.")
    address = serializers.CharField(allow_null=True, help_text="The network address at that time.")
    device = serializers.CharField(help_text="Like “Chrome on Android”; empty if unknown.")
    current = serializers.SerializerMethodField(
        help_text="Whether it is the session of this request."
    )

    class Meta:
        model = Session
        fields = (
            "id",
            "kind",
            "started_at",
            "last_used_at",
            "expires_at",
            "address",
            "device",
            "current",
        )
        read_only_fields = fields

    def get_current(self, session: Session) -> bool:
        """Whether this request belongs to the session."""
        return bool(session.pk == self.context.get("here"))


class EndedOutput(Done):
    """The response to signing out everywhere."""

    ended = serializers.IntegerField(help_text="How many sessions were open.")


class PasswordChangeInput(serializers.Serializer):
    """The current password, and the new one twice."""

    example: ClassVar[dict[str, Any]] = {
        "old_password": "githeri 4 chapati",
        "new_password1": "ugali 7 sukuma",
        "new_password2": "ugali 7 sukuma",
    }

    old_password = PasswordField()
    new_password1 = NewPasswordField()
    new_password2 = NewPasswordField()

    def validate_old_password(self, typed: str) -> str:
        if not _is_theirs(self.context["request"], typed):
            raise serializers.ValidationError("This is not your password.")
        return typed

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_new_password(attrs, self.context["request"].user)
        return attrs


class PasswordResetInput(serializers.Serializer):
    """The address to send the link to."""

    example: ClassVar[dict[str, Any]] = {"email": "wanjiku@example.com"}

    email = EmailField(allow_blank=False)

    def save(self, **kwargs: Any) -> None:
        """Send the link, if a user has this address."""
        send_reset_link(self.validated_data["email"])


class PasswordResetConfirmInput(serializers.Serializer):
    """The two parts of the link, and the new password twice."""

    example: ClassVar[dict[str, Any]] = {
        "uid": "c",
        "token": "d0z1xk-5f3a1c7e9b2d4f6a8c0e",
        "new_password1": "ugali 7 sukuma",
        "new_password2": "ugali 7 sukuma",
    }

    uid = serializers.CharField(max_length=64)
    token = serializers.CharField(max_length=128)
    new_password1 = NewPasswordField()
    new_password2 = NewPasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        request = self.context["request"]._request
        user = services.open_link(request, attrs["uid"], attrs["token"])
        if user is None:
            raise serializers.ValidationError({"token": [services.LINK_IS_OVER]})
        check_new_password(attrs, user)
        return {**attrs, "user": user}

    def save(self, **kwargs: Any) -> None:
        """Set the new password."""
        data = self.validated_data
        services.reset_password(data["user"], new=data["new_password1"])


class UserInput(serializers.Serializer):
    """The details a user may change."""

    username = UsernameField()
    email = EmailField(required=False)
    first_name = ShownNameField(required=False, allow_blank=True, max_length=150)
    last_name = ShownNameField(required=False, allow_blank=True, max_length=150)
    phone = MpesaNumberField(
        required=False,
        allow_blank=True,
        help_text="The phone for questions about your orders; an empty text removes it.",
    )
    password = PasswordField(required=False, help_text="Required to change the e-mail address.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = self.context["request"].user
        password = attrs.pop("password", "")
        is_another = attrs.get("email", user.email) != user.email
        if is_another and not _is_theirs(self.context["request"], password):
            message = "Give your password to change your e-mail."
            raise serializers.ValidationError({"password": [message]})
        errors = services.taken(
            username=attrs.get("username", ""), email=attrs.get("email", ""), but=user.pk
        )
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


class AccountSerializer(serializers.ModelSerializer):
    """A user's public profile. Missing fields are unchanged, with PUT as with PATCH."""

    example_sent: ClassVar[dict[str, Any]] = {"first_name": "Wanjiku", "gender": "woman"}

    example: ClassVar[dict[str, Any]] = {
        "first_name": "Wanjiku",
        "last_name": "Kamau",
        "avatar": "http://127.0.0.1:8000/media/avatars/3f1c.webp",
        "gender": "woman",
    }

    avatar = PictureField(
        required=False,
        allow_null=True,
        help_text="Send a file as multipart (JPEG, HEIC, PNG or WebP, at most 12 MB), or null to "
        "remove it. Sending its URL back changes nothing.",
    )

    #: Replaces DRF's field for text columns.
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        CharField: ShownTextField,
    }

    class Meta:
        model = User
        fields = ("first_name", "last_name", "avatar", "gender")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("first_name", "last_name"):
            if impersonates_shop(attrs.get(name, "")):
                raise serializers.ValidationError({name: [names.NAME_IS_RESERVED]})
        return attrs

    def to_internal_value(self, data: Any) -> Any:
        """Validate the input; an avatar sent back as its own URL is unchanged."""
        avatar = getattr(self.instance, "avatar", None)
        if isinstance(data, Mapping) and is_its_own_address(avatar, data.get("avatar")):
            data = {name: data[name] for name in data if name != "avatar"}
        return super().to_internal_value(data)

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        avatar = validated_data.pop("avatar", KEEP)
        services.change_account(instance, validated_data, avatar)
        return instance


class MessagesSerializer(serializers.ModelSerializer):
    """Notification preferences. Missing fields are unchanged, with PUT as with PATCH."""

    example_sent: ClassVar[dict[str, Any]] = {"language": "sw", "prompts_email": False}

    example: ClassVar[dict[str, Any]] = {
        "language": "sw",
        "buying_email": True,
        "buying_sms": True,
        "prompts_email": False,
        "prompts_sms": True,
        "selling_email": True,
        "selling_sms": True,
    }

    language = OneOfField(Language.choices, required=False)
    buying_email = StrictBooleanField(
        required=False, help_text="Paid, on the way, delivered, refunded."
    )
    buying_sms = StrictBooleanField(required=False, help_text="The same, to the number that paid.")
    prompts_email = StrictBooleanField(
        required=False, help_text="A prompt failed, and what to do next."
    )
    prompts_sms = StrictBooleanField(
        required=False, help_text="The same, to the number that was prompted."
    )
    selling_email = StrictBooleanField(required=False, help_text="Sold, paid out.")
    selling_sms = StrictBooleanField(required=False, help_text="The same, to the listing's number.")

    class Meta:
        model = MessagePreferences
        fields = (
            "language",
            "buying_email",
            "buying_sms",
            "prompts_email",
            "prompts_sms",
            "selling_email",
            "selling_sms",
        )

    def update(
        self, instance: MessagePreferences, validated_data: dict[str, Any]
    ) -> MessagePreferences:
        return change_preferences(instance.user, validated_data)


def _is_theirs(request: Any, password: str) -> bool:
    """Whether this is the caller's password. Raises LockedOut after too many failures."""
    return services.confirm_password(request._request, request.user, password=password)


def check_new_password(
    attrs: dict[str, Any], user: User, first: str = "new_password1", second: str = "new_password2"
) -> None:
    """Raise ValidationError if the two differ or the password is too weak."""
    if attrs[first] != attrs[second]:
        raise serializers.ValidationError({second: ["The two passwords are not the same."]})
    try:
        validate_password(attrs[first], user)
    except DjangoValidationError as error:
        raise serializers.ValidationError({first: error.messages}) from error
