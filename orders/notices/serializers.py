"""Input and output of in-app notices."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from omachemainproj.api.fields import MAX_ID, OneOfField, ShortListField, WholeNumberField
from orders.models.notifications import TO_PEOPLE

#: Maximum per request: a page has no more.
MAX_IDS = 100


class NoticeFilterInput(serializers.Serializer):
    """Filter of the caller's notices."""

    unread = OneOfField(["true"], required=False, help_text="`true`: only unread notices.")


class NoticeOutput(serializers.Serializer):
    """A notice to the caller."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(TO_PEOPLE)
    title = serializers.CharField(help_text="In the caller's language.")
    text = serializers.CharField(help_text="The same; lines are separated by line breaks.")
    order_token = serializers.UUIDField(
        allow_null=True, help_text="The order it is about, if the caller is its buyer."
    )
    reference = serializers.CharField(
        allow_null=True, help_text="The order's reference, for its sellers too."
    )
    line = serializers.IntegerField(
        allow_null=True, help_text="For `/track/order/{id}/`, if it is about a single line."
    )
    created_at = serializers.DateTimeField()
    read = serializers.BooleanField()


class ReadInput(serializers.Serializer):
    """The notices that were read: some by ID, or all up to one."""

    ids = ShortListField(
        child=WholeNumberField(min_value=1, max_value=MAX_ID),
        required=False,
        allow_empty=False,
        max_length=MAX_IDS,
    )
    up_to = WholeNumberField(
        min_value=1,
        max_value=MAX_ID,
        required=False,
        help_text="The newest notice that was shown. It and all older ones become read; newer ones "
        "stay unread.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either `ids` or `up_to`.", code="invalid")
        return attrs


class UnreadOutput(serializers.Serializer):
    """The number of unread notices."""

    unread = serializers.IntegerField(help_text="The number of unread notices, 100 at most.")
