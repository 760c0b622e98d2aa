"""Input and output of order lines: how far they are, and what may be done with them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.counties import County
from omachemainproj.api.fields import (
    OneOfField,
    ShortListField,
    ShownTextField,
    StrictBooleanField,
)
from omachemainproj.text import fold_identifier
from orders.delivery.serializers import DeliveryOutput
from orders.models import DeliveryWay, Party, PaymentStatus, TrackStatus
from orders.problems.serializers import ProblemSummaryOutput
from orders.serializers import CODE_HELP, MOVES_HELP, CollectionCodeField


class AbilitiesOutput(serializers.Serializer):
    """What the caller may do with a line now."""

    moves = serializers.ListField(
        child=serializers.ChoiceField(TrackStatus.choices), help_text=MOVES_HELP
    )
    can_report_problem = serializers.BooleanField(
        help_text="Whether its buyer can report a problem now: from paid to some days after the "
        "delivery."
    )
    can_review = serializers.BooleanField(
        help_text="Whether its buyer may write a review now, which they can once it is delivered."
    )
    reviewed = serializers.BooleanField(help_text="Whether its buyer has written a review.")
    reviewable_until = serializers.DateTimeField(
        allow_null=True,
        help_text="Until when that review may be changed; null before it is written, which can be "
        "done at any time after the delivery.",
    )


class TrackOutput(AbilitiesOutput):
    """One line of one of the caller's orders."""

    example: ClassVar[dict[str, Any]] = {
        "id": 512,
        "order_token": "1c7c2d0e-8f4b-4a52-9a0c-5d3f5f0e7b11",
        "reference": "PR7KWQ4M",
        "product": 41,
        "name": "Ramtons cordless kettle 1.7 L",
        "avatar": "http://127.0.0.1:8000/media/products/3f1c.thumb.webp",
        "number": 2,
        "price": 1850,
        "amount": 3700,
        "seller": "amina",
        "track_status": "shipping",
        "payment_status": "paid",
        "collection_code": "481516",
        "created_at": "2026-11-24T08:15:00.123456+00:00",
        "updated_at": "2026-11-25T10:02:40.771200+00:00",
        "moves": ["delivered"],
        "can_report_problem": True,
        "can_review": False,
        "reviewed": False,
        "reviewable_until": None,
    }

    id = serializers.IntegerField()
    order_token = serializers.UUIDField(
        allow_null=True, help_text="Null for a reader who is not the buyer."
    )
    reference = serializers.CharField(help_text="The order's reference, as the phone shows it.")
    product = serializers.IntegerField()
    name = serializers.CharField()
    avatar = serializers.URLField(allow_null=True, help_text="The product's picture.")
    number = serializers.IntegerField()
    price = serializers.IntegerField(help_text="Whole KES, each, as agreed.")
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")
    seller = serializers.CharField(help_text="The seller's user name.")
    track_status = serializers.ChoiceField(TrackStatus.choices)
    payment_status = serializers.ChoiceField(PaymentStatus.choices)
    collection_code = serializers.CharField(allow_null=True, help_text=CODE_HELP)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class StepOutput(serializers.Serializer):
    """One step on the way of a line."""

    example: ClassVar[dict[str, Any]] = {
        "track_status": "shipping",
        "at": "2026-11-25T10:02:40.771200+00:00",
        "by": "shop",
        "note": "",
    }

    track_status = serializers.ChoiceField(TrackStatus.choices)
    at = serializers.DateTimeField()
    by = serializers.ChoiceField(Party.choices)
    note = serializers.CharField(allow_blank=True, help_text="Why, where somebody said so.")


class TrackStoryOutput(TrackOutput):
    """One line, where it goes, and its whole way."""

    example: ClassVar[dict[str, Any]] = {
        **TrackOutput.example,
        "delivery": None,
        "history": [StepOutput.example],
        "problem": None,
    }

    delivery = DeliveryOutput(
        allow_null=True,
        help_text="Where its order is brought, for its buyer alone; null where that was not "
        "agreed.",
    )
    history = StepOutput(many=True, help_text="Oldest first.")
    problem = ProblemSummaryOutput(
        allow_null=True, help_text="The newest one, for its buyer and its seller; null without any."
    )


class MoveInput(serializers.Serializer):
    """Where a line is to go, and what shows that it may."""

    to = OneOfField(
        [
            TrackStatus.FETCHED.value,
            TrackStatus.SHIPPING.value,
            TrackStatus.DELIVERED.value,
            TrackStatus.CANCELLED.value,
        ]
    )
    note = ShownTextField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="Why; the buyer and the seller read it.",
    )
    code = CollectionCodeField(
        required=False, help_text="The buyer's collection code, from whoever hands over."
    )
    goods_there = StrictBooleanField(
        required=False,
        help_text="On cancelling, from the seller or staff: whether the goods are there to be sold "
        "again. Unless told: yes when the buyer cancels, no otherwise.",
    )


class PastedUUIDField(serializers.UUIDField):
    """A token, as it is copied from a page or a message."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(fold_identifier(data) if isinstance(data, str) else data)


class TrackFilterInput(serializers.Serializer):
    """Which of the caller's lines to list."""

    status = OneOfField(TrackStatus.choices, required=False)
    order = PastedUUIDField(required=False, help_text="Its `order_token`.")


class SaleFilterInput(serializers.Serializer):
    """Which of the lines the caller sold to list."""

    status = ShortListField(
        child=OneOfField(TrackStatus.choices),
        max_length=20,
        required=False,
        help_text="Several times, or with commas. What is to be fulfilled (`paid`, `fetched`,"
        " `shipping`) unless told.",
    )


class WayOutput(serializers.Serializer):
    """How a line is brought to its buyer."""

    way = serializers.ChoiceField(DeliveryWay.choices)
    pickup_point = serializers.CharField(allow_null=True, help_text="The point's name.")


class SaleOutput(serializers.Serializer):
    """One line of an order, for its seller."""

    id = serializers.IntegerField()
    order = serializers.CharField(help_text="The order's reference, as its buyer has it.")
    reference = serializers.CharField(help_text="The same.")
    product = serializers.IntegerField()
    name = serializers.CharField(help_text="As it was when it was sold.")
    thumbnail = serializers.URLField(allow_null=True)
    number = serializers.IntegerField()
    price = serializers.IntegerField(help_text="Whole KES, each, as agreed.")
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")
    track_status = serializers.ChoiceField(TrackStatus.choices)
    buyer = serializers.CharField(help_text="Their first name, or `customer`.")
    phone = serializers.CharField(
        allow_null=True, help_text="The number to call, once it is paid: 2547… or 2541…."
    )
    county = serializers.ChoiceField(
        County.choices,
        allow_null=True,
        help_text="Where it goes, while `phone` is shown; null where no delivery was agreed.",
    )
    delivery = WayOutput(
        allow_null=True, help_text="The same; an agent collects it at the seller's place."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    moves = serializers.ListField(
        child=serializers.ChoiceField(TrackStatus.choices), help_text=MOVES_HELP
    )
