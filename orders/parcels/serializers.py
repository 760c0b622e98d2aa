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
from orders.serializers import CODE_TRIES_HELP, CollectionCodeField

from .actions import ACTIONS
from .moves import LINE_STATUS

_ID = re.compile(r"[0-9]{1,18}")


@extend_schema_field(OpenApiTypes.INT)
class QueryIdField(serializers.Field):
    """An id in the query string: ASCII digits."""

    default_error_messages = {"whole": "A whole number is needed, like 7."}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not _ID.fullmatch(data):
            self.fail("whole")
        return int(data)


@extend_schema_field(OpenApiTypes.BOOL)
class QueryFlagField(serializers.Field):
    """A flag in the query string: ``true`` or ``false``."""

    default_error_messages = {"strict": "Say true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if data not in {"true", "false"}:
            self.fail("strict")
        return bool(data == "true")


class ParcelFilterInput(serializers.Serializer):
    """Filter of the parcels the caller may see."""

    status = OneOfField(
        ParcelStatus.choices, required=False, help_text="Their status; all by default."
    )
    county = serializers.ChoiceField(
        County.choices, required=False, help_text="Where they are collected or delivered."
    )
    pickup_point = QueryIdField(required=False, help_text="The id of the point they go to.")
    open = QueryFlagField(
        required=False, help_text="true: still to be delivered; false: delivered."
    )
    mine = QueryFlagField(
        required=False, help_text="true: claimed by the caller; false: all others."
    )


class ReleaseInput(serializers.Serializer):
    """The reason for releasing a parcel: required from staff, optional for its agent."""

    note = ShownTextField(required=False, default="", allow_blank=True, max_length=200)


class AttemptInput(serializers.Serializer):
    """The reason for a failed delivery."""

    reason = OneOfField(AttemptReason.choices)
    note = ShownTextField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="Details; shown to the buyer and the seller.",
    )


class ParcelMoveInput(serializers.Serializer):
    """The new status of a parcel, with a reason or the collection code."""

    to = OneOfField(list(LINE_STATUS))
    note = ShownTextField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="The reason; shown to the buyer and the seller.",
    )
    code = CollectionCodeField(
        required=False,
        default="",
        help_text="The collection code of any line handed over.",
    )


class ParcelLineOutput(serializers.Serializer):
    id = serializers.IntegerField(help_text="For `/track/{id}/move/`.")
    name = serializers.CharField()
    number = serializers.IntegerField()
    track_status = serializers.ChoiceField(TrackStatus.choices)


class CollectOutput(serializers.Serializer):
    """Where a parcel is collected; null for what is unknown or not shown to the caller."""

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
    """The destination of a parcel."""

    way = serializers.ChoiceField(DeliveryWay.choices)
    recipient = serializers.CharField(help_text="The recipient's name.")
    phone = serializers.CharField(
        allow_null=True,
        help_text="The recipient's phone; for a pick-up point shown to its agents only.",
    )
    county = serializers.ChoiceField(County.choices)
    county_name = serializers.CharField()
    area = serializers.CharField()
    directions = serializers.CharField(allow_blank=True)
    pickup_point = PointOutput(allow_null=True)


class ParcelOutput(serializers.Serializer):
    """The lines of one order from one seller, with collection place and destination."""

    id = serializers.IntegerField()
    order = serializers.CharField(help_text="The order's reference, as its buyer has it.")
    status = serializers.ChoiceField(
        ParcelStatus.choices, help_text="The status of its least advanced line."
    )
    mine = serializers.BooleanField(help_text="Whether the caller has claimed it.")
    claimed_at = serializers.DateTimeField(allow_null=True)
    since = serializers.DateTimeField(help_text="When its status last changed.")
    arrived_at = serializers.DateTimeField(
        allow_null=True, help_text="When it arrived at its pick-up point."
    )
    lines = ParcelLineOutput(many=True, help_text="Its lines, without cancelled ones.")
    collect = CollectOutput()
    deliver = DeliverOutput()
    actions = serializers.ListField(
        child=serializers.ChoiceField(list(ACTIONS)),
        help_text="What the caller may do with it now: `claim`, `release`, `attempt`, or `to` of "
        "its `move`.",
    )
    code_tries = serializers.IntegerField(help_text=CODE_TRIES_HELP)
