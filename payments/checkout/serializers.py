"""Input and output of orders, for their buyers.

Outputs only describe the shapes built in orders.representations and payments.checkout.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from omachemainproj.api.error_schemas import DetailError
from omachemainproj.api.fields import MpesaNumberField
from orders.delivery.serializers import OrderDeliveryOutput
from orders.models import DeliveryWay, PaymentStatus, TrackStatus
from orders.serializers import CODE_HELP, MOVES_HELP, REDUCED_HELP
from orders.tracking.needs import Need
from orders.tracking.serializers import AbilitiesOutput

_REFUND_HELP = (
    "Whole KES that go back to the phone that paid, sent or not yet: cancelled lines, reductions, "
    "fees, and what was paid too much or too late."
)
_REFUNDED_HELP = "The part of `refund` that has arrived there, in whole KES."


class PayInput(serializers.Serializer):
    """The phone to prompt, if not the order's."""

    example: ClassVar[dict[str, Any]] = {"mpesa_number": "0733000111"}

    mpesa_number = MpesaNumberField(required=False)


class LineOutput(serializers.Serializer):
    example: ClassVar[dict[str, Any]] = {
        "id": 512,
        "product": 41,
        "name": "Ramtons cordless kettle 1.7 L",
        "number": 2,
        "price": 1850,
        "amount": 3700,
        "reduced": 0,
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
    price = serializers.IntegerField(help_text="The agreed price of one, in whole KES.")
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")
    reduced = serializers.IntegerField(help_text=REDUCED_HELP)
    track_status = serializers.ChoiceField(TrackStatus.choices)
    collection_code = serializers.CharField(allow_null=True, help_text=CODE_HELP)
    thumbnail = serializers.URLField(allow_null=True, help_text="The product's picture, small.")
    seller = serializers.CharField(help_text="The seller's user name.")
    moves = serializers.ListField(
        child=serializers.ChoiceField(TrackStatus.choices), help_text=MOVES_HELP
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
        help_text="The status of the last prompt.",
    )
    message = serializers.CharField(
        help_text="What to tell the buyer to do next, with how to pay manually if that helps."
    )
    code = serializers.CharField(
        help_text="The reason as a code: `enter_pin`, `wrong_pin`, `silent` …"
    )
    text = serializers.CharField(help_text="The message without how to pay manually.")
    by_hand = serializers.CharField(
        allow_blank=True, help_text="How to pay manually, in a sentence; empty if not yet needed."
    )
    live = serializers.BooleanField(help_text="Whether the phone may be showing the prompt now.")
    rung_at = serializers.DateTimeField(allow_null=True, help_text="When the prompt was sent.")
    ring_again_in = serializers.IntegerField(
        allow_null=True,
        help_text="Seconds until `pay` sends another prompt instead of 409 `prompt_open`; 0: now; "
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
        "refund": 0,
        "refunded": 0,
        "expires_in": 899,
        "prompt": PromptOutput.example,
        "by_hand": [ByHandOutput.example],
    }

    order_token = serializers.UUIDField()
    reference = serializers.CharField(help_text="The account number the phone shows.")
    payment_status = serializers.ChoiceField(PaymentStatus.choices)
    amount = serializers.IntegerField(help_text="Whole KES.")
    mpesa_number = serializers.CharField(
        help_text="12 digits: 2547… or 2541…; for a guest's order only the last three, as "
        "•••••••••678."
    )
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(
        help_text="If it is unpaid by then, its goods are released."
    )
    order = LineOutput(many=True)
    delivery = OrderDeliveryOutput(
        allow_null=True, help_text="The destination; null if no delivery was agreed."
    )
    delivery_fee = serializers.IntegerField(
        help_text="The delivery part of the amount, in whole KES."
    )
    amount_due = serializers.IntegerField(
        help_text="The amount still to be paid, in whole KES; 0 once none is expected."
    )
    refund = serializers.IntegerField(help_text=_REFUND_HELP)
    refunded = serializers.IntegerField(help_text=_REFUNDED_HELP)
    expires_in = serializers.IntegerField(
        allow_null=True,
        help_text="Seconds until `expires_at`, by our clock; null once no payment is expected.",
    )
    prompt = PromptOutput()
    by_hand = ByHandOutput(
        many=True, help_text="Ways to pay without a prompt; empty once nothing is due."
    )


class PricedLineOutput(serializers.Serializer):
    """A line at its current price."""

    product = serializers.IntegerField()
    number = serializers.IntegerField()
    price = serializers.IntegerField(help_text="The current price of one, in whole KES.")
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")


class CashoutConflictOutput(DetailError):
    """Why no order was placed. Additional members depend on the code."""

    order_token = serializers.UUIDField(
        required=False,
        help_text=(
            "`too_many_unpaid_orders`, `too_many_unpaid_goods`, `too_much_unpaid_value`: the "
            "caller's newest unpaid order, if any, to pay or cancel first."
        ),
    )
    order_tokens = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        help_text="For the same codes: all unpaid orders, newest first.",
    )
    most = serializers.IntegerField(
        required=False,
        help_text=(
            "`too_many_unpaid_goods`, `too_much_unpaid_value`: the number of different products, "
            "or the total in KES, that the caller can reserve before paying."
        ),
    )
    order = PricedLineOutput(
        many=True, required=False, help_text="`price_changed`: every line, in the order sent."
    )
    amount = serializers.IntegerField(
        required=False, help_text="`price_changed`: the current total in whole KES."
    )
    delivery_fee = serializers.IntegerField(
        required=False,
        help_text="`price_changed`, with a delivery: the current delivery fee in whole KES, part "
        "of `amount`.",
    )


class OrderRowLineOutput(AbilitiesOutput):
    """One line of an order, in a list of orders."""

    id = serializers.IntegerField(help_text="For `/track/order/{id}/` and `/track/{id}/move/`.")
    product = serializers.IntegerField()
    name = serializers.CharField()
    number = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Whole KES: number × price.")
    reduced = serializers.IntegerField(help_text=REDUCED_HELP)
    track_status = serializers.ChoiceField(TrackStatus.choices)
    thumbnail = serializers.URLField(allow_null=True, help_text="The product's picture, small.")
    seller = serializers.CharField(help_text="The seller's user name.")


class ShortDeliveryOutput(serializers.Serializer):
    """The destination of an order, in short."""

    way = serializers.ChoiceField(DeliveryWay.choices)
    place = serializers.CharField(help_text="The destination in one line.")
    days = serializers.IntegerField(help_text="The delivery time estimated at cash-out, in days.")
    fee = serializers.IntegerField(help_text="The fee for all parcels, in whole KES.")


class OrderRowOutput(serializers.Serializer):
    """One of the caller's orders, in a list."""

    order_token = serializers.UUIDField()
    reference = serializers.CharField(help_text="The account number the phone shows.")
    payment_status = serializers.ChoiceField(PaymentStatus.choices)
    amount = serializers.IntegerField(help_text="Whole KES.")
    amount_due = serializers.IntegerField(
        help_text="The amount still to be paid, in whole KES; 0 once none is expected."
    )
    refund = serializers.IntegerField(help_text=_REFUND_HELP)
    refunded = serializers.IntegerField(help_text=_REFUNDED_HELP)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(
        help_text="If it is unpaid by then, its goods are released."
    )
    order = OrderRowLineOutput(many=True)
    delivery = ShortDeliveryOutput(
        allow_null=True, help_text="The destination; null if no delivery was agreed."
    )
    needs = serializers.ListField(
        child=serializers.ChoiceField(Need.choices),
        help_text="The caller's next actions: `pay` the order, `answer` about a problem, `confirm` "
        "goods that are on the way, `review` delivered goods. More may be added; ignore unknown "
        "ones.",
    )
