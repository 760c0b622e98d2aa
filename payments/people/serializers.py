"""Outputs about the person who asks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.backoffice.roles import ROLES
from accounts.fields import PasswordField
from accounts.models import Language
from accounts.second_factor import CODE_MAX
from omachemainproj.api.fields import IdentifierField


class CountsOutput(serializers.Serializer):
    """What waits for them."""

    unpaid_orders = serializers.IntegerField(help_text="Their orders that wait for their money.")
    to_hand_over = serializers.IntegerField(
        help_text="Lines they sold that are paid and wait to be fetched."
    )
    unread_notices = serializers.IntegerField(
        help_text="What they were told and have not read (`/notices/`); 100 where it is more."
    )
    to_answer = serializers.IntegerField(
        help_text="Lines they bought whose problem waits for a word of theirs."
    )


class MeOutput(serializers.Serializer):
    """Who asks."""

    id = serializers.IntegerField(help_text="Their number.")
    username = serializers.CharField(help_text="How they are called here.")
    email = serializers.CharField(help_text="Empty where none was given.", allow_blank=True)
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    avatar = serializers.CharField(allow_null=True, help_text="The picture's URL, or null.")
    phone = serializers.CharField(
        allow_blank=True, help_text="12 digits, where they are called; empty where none was given."
    )
    language = serializers.ChoiceField(Language.choices, help_text="In which they are written to.")
    roles = serializers.ListField(
        child=serializers.ChoiceField([*ROLES, "superuser"]),
        help_text="What they do for the shop; empty for most.",
    )
    is_seller = serializers.BooleanField(help_text="Whether they have listed anything yet.")
    is_at_point = serializers.BooleanField(
        help_text="Whether they hand parcels over at a pick-up point."
    )
    counts = CountsOutput()


class DeleteAccountInput(serializers.Serializer):
    """What shows that it is they who ask: a token may have been stolen."""

    password = PasswordField(required=False, help_text="The account's own.")
    token = serializers.CharField(
        required=False,
        max_length=64,
        help_text="Instead of a password: of the answer of /account/phone/code/.",
    )
    phone_code = IdentifierField(
        required=False, max_length=32, help_text="And the six digits of its SMS."
    )
    code = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=CODE_MAX,
        write_only=True,
        help_text="Of the authenticator app, where log-in asks for one.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "password" not in attrs and not {"token", "phone_code"} <= attrs.keys():
            message = "Send your password, or a token and a phone_code."
            raise serializers.ValidationError({"password": [message]})
        return attrs


class ExportOutput(serializers.Serializer):
    """All that is kept of a person, a list of rows for each section.

    Its sections and their columns are listed in the privacy notes; new ones may come.
    """

    as_of = serializers.DateTimeField()
    person = serializers.ListField(child=serializers.DictField(), help_text="One row.")
    orders = serializers.ListField(child=serializers.DictField())
