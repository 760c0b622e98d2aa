"""Input and output of what people are told."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from omachemainproj.api.fields import MAX_ID, OneOfField, ShortListField, WholeNumberField
from orders.models.notifications import TO_PEOPLE

#: Of one request; a page has no more.
MAX_IDS = 100


class NoticeFilterInput(serializers.Serializer):
    """Which to list."""

    unread = OneOfField(
        ["true"], required=False, help_text="`true`: only those that are not read yet."
    )


class NoticeOutput(serializers.Serializer):
    """Something the caller was told."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(TO_PEOPLE)
    title = serializers.CharField(help_text="In the caller's language.")
    text = serializers.CharField(help_text="The same; lines are separated by line breaks.")
    order_token = serializers.UUIDField(
        allow_null=True, help_text="The order it is about, where the caller bought it."
    )
    reference = serializers.CharField(
        allow_null=True, help_text="That order's, for its sellers too."
    )
    line = serializers.IntegerField(
        allow_null=True, help_text="For `/track/order/{id}/`, where it is about one line alone."
    )
    created_at = serializers.DateTimeField()
    read = serializers.BooleanField()


class ReadInput(serializers.Serializer):
    """What was read: some of them, or all up to one."""

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
        help_text="The newest that was shown: it and all before it. What came since stays unread.",
    )

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        if len(said) != 1:
            raise serializers.ValidationError("Give either `ids` or `up_to`.", code="invalid")
        return said


class UnreadOutput(serializers.Serializer):
    """What is left."""

    unread = serializers.IntegerField(help_text="How many are not read; 100 where there are more.")
