"""Input and output of a quote."""

from __future__ import annotations

from rest_framework import serializers

from omachemainproj.api.fields import MpesaNumberField
from orders.delivery.serializers import DeliveryInput
from orders.serializers import CashoutInput


class QuoteDeliveryInput(DeliveryInput):
    """The destination, as at cash-out; or only a county (`{"county": "nairobi"}`), for delivery to
    an address there."""

    needed = ("county",)


class QuoteInput(CashoutInput):
    """The body of a cash-out. Nothing of it is stored."""

    mpesa_number = MpesaNumberField(
        required=False, allow_null=True, help_text="Checked if given, but not used."
    )
    delivery = QuoteDeliveryInput(
        required=False,
        allow_null=True,
        help_text="The destination: a pick-up point, a county, one of the caller's addresses, or "
        "none.",
    )


class ProblemOutput(serializers.Serializer):
    """Why something cannot be bought as requested, or has another price."""

    code = serializers.CharField(help_text="The reason as a code.")
    message = serializers.CharField(help_text="The reason, to show to the buyer.")
    left = serializers.IntegerField(
        allow_null=True, help_text="`short`, `sold_out`: the number available; otherwise null."
    )
    shown = serializers.IntegerField(
        allow_null=True,
        help_text="`price_changed`, `fee_changed`: the amount that was shown, in KES; otherwise "
        "null.",
    )


class QuotedLineOutput(serializers.Serializer):
    product = serializers.IntegerField()
    number = serializers.IntegerField()
    name = serializers.CharField(allow_null=True, help_text="Null if it is not for sale.")
    seller = serializers.CharField(allow_null=True, help_text="The seller's user name.")
    price = serializers.IntegerField(
        allow_null=True, help_text="The current price of one, in whole KES."
    )
    amount = serializers.IntegerField(allow_null=True, help_text="Whole KES: number × price.")
    available = serializers.BooleanField(help_text="Whether it can be bought now, as requested.")
    problem = ProblemOutput(
        allow_null=True,
        help_text="`not_for_sale`, `own_goods`, `sold_out`, `short`, or `price_changed`.",
    )


class QuotedParcelOutput(serializers.Serializer):
    """One seller's goods, delivered together."""

    seller = serializers.CharField(help_text="The seller's user name.")
    goods = serializers.IntegerField(help_text="The price of the goods, in whole KES.")
    fee = serializers.IntegerField(help_text="The delivery fee, in whole KES; 0 if it is free.")
    free_above = serializers.IntegerField(
        allow_null=True,
        help_text="The price of the goods, in whole KES, from which delivery is free; null: never.",
    )
    days = serializers.IntegerField(help_text="The longest time the delivery takes, in days.")


class QuoteOutput(serializers.Serializer):
    """The current cost of the lines that are available."""

    lines = QuotedLineOutput(many=True, help_text="In the order sent.")
    parcels = QuotedParcelOutput(many=True)
    goods = serializers.IntegerField(help_text="Whole KES.")
    delivery_fee = serializers.IntegerField(
        allow_null=True, help_text="Whole KES; null if we do not deliver there."
    )
    amount = serializers.IntegerField(
        allow_null=True, help_text="The total in whole KES; null if the fee is null."
    )
    days = serializers.IntegerField(
        allow_null=True,
        help_text="The longest time the delivery takes, in days; null without a delivery.",
    )
    problems = ProblemOutput(
        many=True,
        help_text="Problems of the whole cart: `no_such_point`, `point_closed`, `no_such_address`, "
        "`sign_in`, "
        "`no_rate`, `above_limit`, `fee_changed`, `price_changed`.",
    )
