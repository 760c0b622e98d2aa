"""Input and output of orders. Outputs only describe the shapes built in representations.py."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator
from django.db.models import TextChoices
from rest_framework import serializers

from accounts.counties import County
from omachemainproj.api.fields import (
    MAX_ID,
    MpesaNumberField,
    OneOfField,
    ShortListField,
    ShownTextField,
    StrictBooleanField,
    WholeNumberField,
)
from omachemainproj.api.schema import DetailError
from omachemainproj.text import fold_identifier
from products.models import MAX_STOCK

from .delivery.serializers import DeliveryInput, DeliveryOutput, OrderDeliveryOutput
from .fulfilment import digits_of_code
from .models import (
    DeliveryWay,
    Outcome,
    Party,
    PaymentStatus,
    ProblemKind,
    ProblemState,
    TrackStatus,
)
from .refusals import LineRequest

MAX_LINES = 100


class Need(TextChoices):
    """What may wait for the buyer of an order (orders.tracking.needs)."""

    PAY = "pay"
    ANSWER = "answer"
    CONFIRM = "confirm"
    REVIEW = "review"


class LinesInput(serializers.ListSerializer):
    """Lines whose errors mirror the list that was sent: ``[{}, {"number": ["…"]}]``.

    DRF itself is about to answer ``{"1": {"number": ["…"]}}`` instead.
    """

    def to_internal_value(self, data: Any) -> list[Any]:
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            by_line: Any = error.detail
            if not isinstance(by_line, dict) or not all(isinstance(at, int) for at in by_line):
                raise
            mirrored = [by_line.get(at, {}) for at in range(len(data))]
            raise serializers.ValidationError(mirrored) from error


class LineInput(serializers.Serializer):
    """One product and how many of it."""

    product = WholeNumberField(
        min_value=1,
        help_text="The product's id.",
        validators=[MaxValueValidator(MAX_ID, "This product is not for sale.")],
    )
    number = WholeNumberField(min_value=1, max_value=MAX_STOCK, help_text="How many of it.")
    price = WholeNumberField(
        min_value=1,
        required=False,
        help_text="Whole KES, each, as it was shown to the buyer; another price now is a 409.",
    )


class CashoutInput(serializers.Serializer):
    """What a buyer wants, and the phone that pays for it."""

    order = LinesInput(child=LineInput(), allow_empty=False, max_length=MAX_LINES)
    mpesa_number = MpesaNumberField(help_text="As people write it: 0712345678, +254 712 345 678.")

    amount = WholeNumberField(
        min_value=1,
        required=False,
        help_text="Whole KES in all, as it was shown to the buyer; another sum now is a 409.",
    )

    delivery = DeliveryInput(
        required=False,
        allow_null=True,
        help_text="Where to bring the goods, for a fee a seller's parcel. Without it, or with "
        "null, the caller and the sellers arrange it between them.",
    )

    def validate_order(self, lines: list[dict[str, Any]]) -> list[LineRequest]:
        return [LineRequest(**line) for line in lines]


class PayInput(serializers.Serializer):
    """Another phone to ring, if not the same one."""

    example: ClassVar[dict[str, Any]] = {"mpesa_number": "0733000111"}

    mpesa_number = MpesaNumberField(required=False)


_CODE = "Six digits to read out when the goods are handed over; the buyer's alone, from paid on."


_MOVES = "Statuses to which the caller may move it now: `to` of `/track/{id}/move/`."


class AbilitiesOutput(serializers.Serializer):
    """What the caller may do with a line now."""

    moves = serializers.ListField(
        child=serializers.ChoiceField(TrackStatus.choices), help_text=_MOVES
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


class LineOutput(serializers.Serializer):
    example: ClassVar[dict[str, Any]] = {
        "id": 512,
        "product": 41,
        "name": "Ramtons cordless kettle 1.7 L",
        "number": 2,
        "price": 1850,
        "amount": 3700,
        "track_status": "created",
        "collection_code": None,
        "thumbnail": "http://127.0.0.1:8000/media/products/3f1c.thumb.webp",
        "seller": "amina",
        "moves": ["cancelled"],
    }

    id = serializers.IntegerField(help_text="For `/track/order/{id}/` and `/track/{id}/move/`.")
    product = serializers.IntegerField()
    name = serializers.CharField()
    number = serializers.IntegerField()
    price = serializers.IntegerField(help_text="Whole KES, each, as agreed.")
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")
    track_status = serializers.ChoiceField(TrackStatus.choices)
    collection_code = serializers.CharField(allow_null=True, help_text=_CODE)
    thumbnail = serializers.URLField(allow_null=True, help_text="The product's picture, small.")
    seller = serializers.CharField(help_text="The seller's user name.")
    moves = serializers.ListField(
        child=serializers.ChoiceField(TrackStatus.choices), help_text=_MOVES
    )


class PromptOutput(serializers.Serializer):
    example: ClassVar[dict[str, Any]] = {
        "status": "submitted",
        "message": "Look at your phone and enter your M-Pesa PIN.",
        "code": "enter_pin",
        "text": "Look at your phone and enter your M-Pesa PIN.",
        "by_hand": "",
        "live": True,
        "rung_at": "2026-11-24T08:15:01.204417+00:00",
        "ring_again_in": 118,
        "expires_in": 58,
    }

    status = serializers.ChoiceField(
        ["none", "requested", "submitted", "unknown", "confirmed", "failed"],
        help_text="How the last prompt stands.",
    )
    message = serializers.CharField(
        help_text="What to tell the buyer to do next, with how to pay by hand where that helps."
    )
    code = serializers.CharField(
        help_text="Why it stands so, for programs: `enter_pin`, `wrong_pin`, `silent` …"
    )
    text = serializers.CharField(help_text="The message without how to pay by hand.")
    by_hand = serializers.CharField(
        allow_blank=True, help_text="How to pay by hand, in a sentence; empty where it is not time."
    )
    live = serializers.BooleanField(help_text="Whether the phone may be ringing now.")
    rung_at = serializers.DateTimeField(allow_null=True, help_text="When M-Pesa was asked.")
    ring_again_in = serializers.IntegerField(
        allow_null=True,
        help_text="Seconds until `pay` rings again instead of answering 409 `prompt_open`; 0: now; "
        "null: never.",
    )
    expires_in = serializers.IntegerField(
        allow_null=True, help_text="Seconds for which the phone may still show it."
    )


class ByHandOutput(serializers.Serializer):
    example: ClassVar[dict[str, Any]] = {
        "provider": "M-Pesa",
        "pay_bill": "174379",
        "account": "PR7KWQ4M",
        "amount": 3700,
    }

    provider = serializers.CharField(help_text="Whose pay bill it is: M-Pesa, or a bank.")
    pay_bill = serializers.CharField(help_text="The business number to type.")
    account = serializers.CharField(help_text="The account number to type.")
    amount = serializers.IntegerField(help_text="Whole KES.")


class OrderOutput(serializers.Serializer):
    """One order, for its buyer."""

    example: ClassVar[dict[str, Any]] = {
        "order_token": "1c7c2d0e-8f4b-4a52-9a0c-5d3f5f0e7b11",
        "reference": "PR7KWQ4M",
        "payment_status": "requested",
        "amount": 3700,
        "mpesa_number": "254712345678",
        "created_at": "2026-11-24T08:15:00.123456+00:00",
        "expires_at": "2026-11-24T08:30:00.123456+00:00",
        "order": [LineOutput.example],
        "delivery": None,
        "delivery_fee": 0,
        "amount_due": 3700,
        "expires_in": 899,
        "prompt": PromptOutput.example,
        "by_hand": [ByHandOutput.example],
    }

    order_token = serializers.UUIDField()
    reference = serializers.CharField(help_text="The account number the phone shows.")
    payment_status = serializers.ChoiceField(PaymentStatus.choices)
    amount = serializers.IntegerField(help_text="Whole KES.")
    mpesa_number = serializers.CharField(
        help_text="12 digits: 2547… or 2541…; of a guest's order three of them, as •••••••••678."
    )
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Unpaid by then, its goods are free again.")
    order = LineOutput(many=True)
    delivery = OrderDeliveryOutput(
        allow_null=True, help_text="Where it is brought; null where that was not agreed."
    )
    delivery_fee = serializers.IntegerField(help_text="Whole KES of the amount, for bringing it.")
    amount_due = serializers.IntegerField(
        help_text="Whole KES that are still to come; 0 once the order waits for nothing."
    )
    expires_in = serializers.IntegerField(
        allow_null=True,
        help_text="Seconds until `expires_at`, by our clock; null once it waits for nothing.",
    )
    prompt = PromptOutput()
    by_hand = ByHandOutput(
        many=True, help_text="Where to pay without the prompt; empty once nothing is due."
    )


class PricedLineOutput(serializers.Serializer):
    """What a line costs now."""

    product = serializers.IntegerField()
    number = serializers.IntegerField()
    price = serializers.IntegerField(help_text="Whole KES, each, now.")
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")


class CashoutConflictOutput(DetailError):
    """Why no order was placed. What a code names beside itself is described with it."""

    order_token = serializers.UUIDField(
        required=False,
        help_text=(
            "`too_many_unpaid_orders`, `too_many_unpaid_goods`, `too_much_unpaid_value`: the "
            "caller's newest unpaid order, if there is one, to pay or to cancel."
        ),
    )
    order_tokens = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="The same: all, newest first."
    )
    most = serializers.IntegerField(
        required=False,
        help_text=(
            "`too_many_unpaid_goods`, `too_much_unpaid_value`: how many different products, or KES "
            "in all, the caller can hold before paying."
        ),
    )
    order = PricedLineOutput(
        many=True, required=False, help_text="`price_changed`: every line, in the order sent."
    )
    amount = serializers.IntegerField(required=False, help_text="The same: whole KES in all, now.")
    delivery_fee = serializers.IntegerField(
        required=False,
        help_text="The same, where the goods are brought: whole KES of the amount for that, now.",
    )


class OrderRowLineOutput(AbilitiesOutput):
    """One line of an order, in a list of orders."""

    id = serializers.IntegerField(help_text="For `/track/order/{id}/` and `/track/{id}/move/`.")
    product = serializers.IntegerField()
    name = serializers.CharField()
    number = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")
    track_status = serializers.ChoiceField(TrackStatus.choices)
    thumbnail = serializers.URLField(allow_null=True, help_text="The product's picture, small.")
    seller = serializers.CharField(help_text="The seller's user name.")


class ShortDeliveryOutput(serializers.Serializer):
    """Where an order goes."""

    way = serializers.ChoiceField(DeliveryWay.choices)
    place = serializers.CharField(help_text="Where to, in one line.")
    days = serializers.IntegerField(help_text="How many days it takes, by the estimate then.")
    fee = serializers.IntegerField(help_text="Whole KES for all parcels.")


class OrderRowOutput(serializers.Serializer):
    """One of the caller's orders, in a list of them."""

    order_token = serializers.UUIDField()
    reference = serializers.CharField(help_text="The account number the phone shows.")
    payment_status = serializers.ChoiceField(PaymentStatus.choices)
    amount = serializers.IntegerField(help_text="Whole KES.")
    amount_due = serializers.IntegerField(
        help_text="Whole KES that are still to come; 0 once the order waits for nothing."
    )
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Unpaid by then, its goods are free again.")
    order = OrderRowLineOutput(many=True)
    delivery = ShortDeliveryOutput(
        allow_null=True, help_text="Where it is brought; null where that was not agreed."
    )
    needs = serializers.ListField(
        child=serializers.ChoiceField(Need.choices),
        help_text="What waits for the caller: `pay` it, `answer` about a problem, `confirm` goods "
        "that are on the way, `review` what was delivered. More may come; leave out what you do "
        "not know.",
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
    collection_code = serializers.CharField(allow_null=True, help_text=_CODE)
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


class ProblemSummaryOutput(serializers.Serializer):
    """How the newest problem with a line stands."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(ProblemKind.choices)
    state = serializers.ChoiceField(ProblemState.choices)
    outcome = serializers.ChoiceField(
        Outcome.choices, allow_null=True, help_text="How it ended; null while it is undecided."
    )
    ended_by = serializers.ChoiceField(
        Party.choices,
        allow_null=True,
        help_text="Who ended it; null while it is undecided, and where the goods were cancelled.",
    )
    refunded = serializers.IntegerField(help_text="Whole KES that go back by it, or went.")
    messages = serializers.IntegerField(help_text="How many there are in its thread.")
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


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


class CollectionCodeField(serializers.RegexField):
    """Six digits, as they are read out or copied: spaces and dashes between them are ignored."""

    default_error_messages = {"invalid": "The code has six digits."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[0-9]{6}\Z", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        typed = super().to_internal_value(data)
        # A line break is no part of one code.
        return typed if "\n" in typed else digits_of_code(typed)


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
        child=serializers.ChoiceField(TrackStatus.choices), help_text=_MOVES
    )
