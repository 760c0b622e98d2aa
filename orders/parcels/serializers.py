"""Input and output of parcels. Outputs only describe the shapes built in representation.py."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.counties import County
from omachemainproj.api.fields import OneOfField, ShownTextField
from orders.models import AttemptReason, DeliveryWay, ParcelStatus, TrackStatus
from orders.serializers import CollectionCodeField

from .actions import ACTIONS
from .moves import LINE_STATUS

_ID = re.compile(r"[0-9]{1,18}")


@extend_schema_field(OpenApiTypes.INT)
class QueryIdField(serializers.Field):
    """An id in an address's query: plain ASCII digits."""

    default_error_messages = {"whole": "A whole number is needed, like 7."}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not _ID.fullmatch(data):
            self.fail("whole")
        return int(data)


@extend_schema_field(OpenApiTypes.BOOL)
class QueryFlagField(serializers.Field):
    """A flag in an address's query: true or false, in these words."""

    default_error_messages = {"strict": "Say true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if data not in {"true", "false"}:
            self.fail("strict")
        return bool(data == "true")


class ParcelFilterInput(serializers.Serializer):
    """Which of the parcels somebody may see to list."""

    status = OneOfField(
        ParcelStatus.choices, required=False, help_text="How far they are. All of them unless told."
    )
    county = serializers.ChoiceField(
        County.choices, required=False, help_text="Where they are collected, or go."
    )
    pickup_point = QueryIdField(required=False, help_text="The point they go to.")
    open = QueryFlagField(
        required=False, help_text="true: what is still to be brought; false: what was handed over."
    )
    mine = QueryFlagField(
        required=False, help_text="true: those the caller has taken on; false: all others."
    )


class ReleaseInput(serializers.Serializer):
    """Why a parcel is given up: needed from staff, welcome from its agent."""

    note = ShownTextField(required=False, default="", allow_blank=True, max_length=200)


class AttemptInput(serializers.Serializer):
    """Why a parcel that was brought to its door was not handed over."""

    reason = OneOfField(AttemptReason.choices)
    note = ShownTextField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="More about it; the buyer and the seller read it.",
    )


class ParcelMoveInput(serializers.Serializer):
    """Where a whole parcel is to go, and what shows that it may."""

    to = OneOfField(list(LINE_STATUS))
    note = ShownTextField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="Why; the buyer and the seller read it.",
    )
    code = CollectionCodeField(
        required=False,
        default="",
        help_text="The collection code of any line of it that is handed over.",
    )


class ParcelLineOutput(serializers.Serializer):
    id = serializers.IntegerField(help_text="For `/track/{id}/move/`.")
    name = serializers.CharField()
    number = serializers.IntegerField()
    track_status = serializers.ChoiceField(TrackStatus.choices)


class CollectOutput(serializers.Serializer):
    """Where a parcel is collected; null is what this reader is not told, or nobody knows."""

    name = serializers.CharField()
    phone = serializers.CharField(allow_null=True, help_text="12 digits: 2547… or 2541….")
    county = serializers.ChoiceField(County.choices, allow_null=True)
    county_name = serializers.CharField(allow_null=True)
    area = serializers.CharField(allow_null=True)
    directions = serializers.CharField(allow_null=True)


class PointOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    opening_hours = serializers.CharField()
    phone = serializers.CharField()


class DeliverOutput(serializers.Serializer):
    """Where a parcel goes."""

    way = serializers.ChoiceField(DeliveryWay.choices)
    recipient = serializers.CharField(help_text="Whose name is on it.")
    phone = serializers.CharField(
        allow_null=True,
        help_text="Theirs; of a parcel that goes to a pick-up point, for who hands over there.",
    )
    county = serializers.ChoiceField(County.choices)
    county_name = serializers.CharField()
    area = serializers.CharField()
    directions = serializers.CharField(allow_blank=True)
    pickup_point = PointOutput(allow_null=True)


class ParcelOutput(serializers.Serializer):
    """The lines of one order that come from one seller, and both ends of their way."""

    id = serializers.IntegerField()
    order = serializers.CharField(help_text="The order's reference, as its buyer has it.")
    status = serializers.ChoiceField(
        ParcelStatus.choices, help_text="As far as the line of it that is behind."
    )
    mine = serializers.BooleanField(help_text="Whether the caller has taken it on.")
    claimed_at = serializers.DateTimeField(allow_null=True)
    since = serializers.DateTimeField(help_text="When it was last moved on.")
    arrived_at = serializers.DateTimeField(
        allow_null=True, help_text="When its pick-up point took it in."
    )
    lines = ParcelLineOutput(many=True, help_text="What is in it, without what was cancelled.")
    collect = CollectOutput()
    deliver = DeliverOutput()
    actions = serializers.ListField(
        child=serializers.ChoiceField(list(ACTIONS)),
        help_text="What the caller may do with it now: `claim`, `release`, `attempt`, or `to` of "
        "its `move`.",
    )
