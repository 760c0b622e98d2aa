"""Inputs and outputs about the current user."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.backoffice.roles import ROLES
from accounts.fields import PasswordField
from accounts.models import Language
from accounts.second_factor import CODE_MAX
from omachemainproj.api.fields import IdentifierField
from omachemainproj.mpesa_limits import MAX_PAYMENT


class CountsOutput(serializers.Serializer):
    """Numbers of items that need the user's attention."""

    unpaid_orders = serializers.IntegerField(help_text="The user's unpaid orders.")
    to_hand_over = serializers.IntegerField(
        help_text="Sold items that are paid and not collected yet."
    )
    unread_notices = serializers.IntegerField(
        help_text="Unread notices (`/notices/`), at most 100."
    )
    to_answer = serializers.IntegerField(
        help_text="Bought items with a problem that awaits the buyer's answer."
    )


class MeOutput(serializers.Serializer):
    """The current user."""

    id = serializers.IntegerField(help_text="The user's ID.")
    username = serializers.CharField(help_text="The user name.")
    email = serializers.CharField(help_text="Empty if none is set.", allow_blank=True)
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    avatar = serializers.CharField(allow_null=True, help_text="The picture's URL, or null.")
    phone = serializers.CharField(allow_blank=True, help_text="12 digits; empty if none is set.")
    language = serializers.ChoiceField(
        Language.choices, help_text="The language of messages to the user."
    )
    roles = serializers.ListField(
        child=serializers.ChoiceField([*ROLES, "superuser"]),
        help_text="Staff roles; empty for most users.",
    )
    is_seller = serializers.BooleanField(help_text="Whether the user has ever listed a product.")
    is_at_point = serializers.BooleanField(help_text="Whether the user works at a pick-up point.")
    counts = CountsOutput()


class DeleteAccountInput(serializers.Serializer):
    """Proof of identity, since a token may have been stolen."""

    password = PasswordField(required=False, help_text="The account's password.")
    token = serializers.CharField(
        required=False,
        max_length=64,
        help_text="Instead of a password: the token from /account/phone/code/.",
    )
    phone_code = IdentifierField(
        required=False, max_length=32, help_text="With the token: the six digits from the SMS."
    )
    code = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=CODE_MAX,
        write_only=True,
        help_text="The authenticator app's code, if log-in asks for one.",
    )
    renounce = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_PAYMENT,
        help_text="The `amount` of a `renounceable` `money_owed` (KES), to give it up.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "password" not in attrs and not {"token", "phone_code"} <= attrs.keys():
            message = "Send your password, or a token and a phone_code."
            raise serializers.ValidationError({"password": [message]})
        return attrs


class ExportOutput(serializers.Serializer):
    """A user's personal data, with a list of rows per section.

    The privacy notes list the sections and their columns; new ones may be added.
    """

    as_of = serializers.DateTimeField()
    person = serializers.ListField(child=serializers.DictField(), help_text="One row.")
    orders = serializers.ListField(child=serializers.DictField())
