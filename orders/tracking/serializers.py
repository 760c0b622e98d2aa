"""Input and output of order lines: their status, and the actions on them."""

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
from orders.serializers import (
    CODE_HELP,
    CODE_TRIES_HELP,
    MOVES_HELP,
    REDUCED_HELP,
    CollectionCodeField,
)


class AbilitiesOutput(serializers.Serializer):
    """The actions that the caller may take on a line now."""

    moves = serializers.ListField(
        child=serializers.ChoiceField(TrackStatus.choices), help_text=MOVES_HELP
    )
    code_tries = serializers.IntegerField(help_text=CODE_TRIES_HELP)
    can_report_problem = serializers.BooleanField(
        help_text="Whether its buyer can report a problem now: from payment until some days after "
        "delivery."
    )
    can_review = serializers.BooleanField(
        help_text="Whether its buyer may write a review now, as after delivery."
    )
    reviewed = serializers.BooleanField(help_text="Whether its buyer has written a review.")
    reviewable_until = serializers.DateTimeField(
        allow_null=True,
        help_text="Until when that review can be changed; null until it is written, which has no "
        "time limit.",
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
        "reduced": 0,
        "seller": "amina",
        "track_status": "shipping",
        "payment_status": "paid",
        "collection_code": "481516",
        "created_at": "2026-11-24T08:15:00.123456+00:00",
        "updated_at": "2026-11-25T10:02:40.771200+00:00",
        "moves": ["delivered"],
        "code_tries": 5,
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
    price = serializers.IntegerField(help_text="The agreed price of one, in whole KES.")
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")
    reduced = serializers.IntegerField(help_text=REDUCED_HELP)
    seller = serializers.CharField(help_text="The seller's user name.")
    track_status = serializers.ChoiceField(TrackStatus.choices)
    payment_status = serializers.ChoiceField(PaymentStatus.choices)
    collection_code = serializers.CharField(allow_null=True, help_text=CODE_HELP)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class StepOutput(serializers.Serializer):
    """A status change of a line."""

    example: ClassVar[dict[str, Any]] = {
        "track_status": "shipping",
        "at": "2026-11-25T10:02:40.771200+00:00",
        "by": "shop",
        "note": "",
    }

    track_status = serializers.ChoiceField(TrackStatus.choices)
    at = serializers.DateTimeField()
    by = serializers.ChoiceField(Party.choices)
    note = serializers.CharField(allow_blank=True, help_text="The reason, if one was given.")


class TrackStoryOutput(TrackOutput):
    """One line with its destination and history."""

    example: ClassVar[dict[str, Any]] = {
        **TrackOutput.example,
        "delivery": None,
        "history": [StepOutput.example],
        "problem": None,
    }

    delivery = DeliveryOutput(
        allow_null=True,
        help_text="The order's destination, only for its buyer; null if no delivery was agreed.",
    )
    history = StepOutput(many=True, help_text="Oldest first.")
    problem = ProblemSummaryOutput(
        allow_null=True, help_text="The newest problem, for its buyer and seller; null if none."
    )


class MoveInput(serializers.Serializer):
    """A line's next status, with what that status requires."""

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
        help_text="The reason, which buyer and seller can read.",
    )
    code = CollectionCodeField(
        required=False, help_text="The buyer's collection code, from the user who hands over."
    )
    goods_there = StrictBooleanField(
        required=False,
        help_text="When the seller or staff cancel: whether the goods can be sold again. Default: "
        "yes if the buyer cancels, otherwise no.",
    )


class PastedUUIDField(serializers.UUIDField):
    """A token that may have been copied from a page or a message."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(fold_identifier(data) if isinstance(data, str) else data)


class TrackFilterInput(serializers.Serializer):
    """Filter of the caller's lines."""

    status = OneOfField(TrackStatus.choices, required=False)
    order = PastedUUIDField(required=False, help_text="The order's `order_token`.")


class SaleFilterInput(serializers.Serializer):
    """Filter of the lines that the caller sold."""

    status = ShortListField(
        child=OneOfField(TrackStatus.choices),
        max_length=20,
        required=False,
        help_text="Repeated or comma-separated. Default: lines to be fulfilled (`paid`, `fetched`,"
        " `shipping`).",
    )


class WayOutput(serializers.Serializer):
    """The delivery method of a line."""

    way = serializers.ChoiceField(DeliveryWay.choices)
    pickup_point = serializers.CharField(allow_null=True, help_text="The point's name.")


class SaleOutput(serializers.Serializer):
    """One line of an order, for its seller."""

    id = serializers.IntegerField()
    order = serializers.CharField(help_text="The order's reference, as its buyer sees it.")
    reference = serializers.CharField(help_text="The same as `order`.")
    product = serializers.IntegerField()
    name = serializers.CharField(help_text="The product's name when it was sold.")
    thumbnail = serializers.URLField(allow_null=True)
    number = serializers.IntegerField()
    price = serializers.IntegerField(help_text="The agreed price of one, in whole KES.")
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")
    reduced = serializers.IntegerField(help_text=REDUCED_HELP)
    track_status = serializers.ChoiceField(TrackStatus.choices)
    buyer = serializers.CharField(help_text="The buyer's first name, or `customer`.")
    phone = serializers.CharField(
        allow_null=True, help_text="The buyer's number to call, once paid: 2547… or 2541…."
    )
    county = serializers.ChoiceField(
        County.choices,
        allow_null=True,
        help_text="The destination, while `phone` is shown; null if no delivery was agreed.",
    )
    delivery = WayOutput(
        allow_null=True,
        help_text="The delivery method, if one was agreed; an agent collects the goods from the "
        "seller.",
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    moves = serializers.ListField(
        child=serializers.ChoiceField(TrackStatus.choices), help_text=MOVES_HELP
    )
    code_tries = serializers.IntegerField(help_text=CODE_TRIES_HELP)
