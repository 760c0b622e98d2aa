"""Input and output of a quote."""

from __future__ import annotations

from rest_framework import serializers

from omachemainproj.api.fields import MpesaNumberField
from orders.delivery.serializers import DeliveryInput
from orders.serializers import CashoutInput


class QuoteDeliveryInput(DeliveryInput):
    """Where to, as at cash-out; or a county alone (`{"county": "nairobi"}`), for bringing it to an
    address there."""

    needed = ("county",)


class QuoteInput(CashoutInput):
    """A cash-out as it would be sent; nothing of it is kept."""

    mpesa_number = MpesaNumberField(
        required=False, allow_null=True, help_text="Checked where it is sent, and not used."
    )
    delivery = QuoteDeliveryInput(
        required=False,
        allow_null=True,
        help_text="Where to: a pick-up point, a county, one of the caller's addresses, or none.",
    )


class ProblemOutput(serializers.Serializer):
    """Why something cannot be bought as asked, or costs otherwise."""

    code = serializers.CharField(help_text="For programs.")
    message = serializers.CharField(help_text="For people.")
    left = serializers.IntegerField(
        allow_null=True, help_text="`short`, `sold_out`: how many there are; else null."
    )
    shown = serializers.IntegerField(
        allow_null=True,
        help_text="`price_changed`, `fee_changed`: the KES that were shown; else null.",
    )


class QuotedLineOutput(serializers.Serializer):
    product = serializers.IntegerField()
    number = serializers.IntegerField()
    name = serializers.CharField(allow_null=True, help_text="Null where it is not for sale.")
    seller = serializers.CharField(allow_null=True, help_text="The seller's user name.")
    price = serializers.IntegerField(allow_null=True, help_text="Whole KES, each, now.")
    amount = serializers.IntegerField(allow_null=True, help_text="Whole KES: number × price.")
    available = serializers.BooleanField(help_text="Whether it can be bought now, as asked.")
    problem = ProblemOutput(
        allow_null=True,
        help_text="`not_for_sale`, `own_goods`, `sold_out`, `short`, or `price_changed`.",
    )


class QuotedParcelOutput(serializers.Serializer):
    """One seller's goods, brought together."""

    seller = serializers.CharField(help_text="The seller's user name.")
    goods = serializers.IntegerField(help_text="Whole KES: what they are worth.")
    fee = serializers.IntegerField(help_text="Whole KES for bringing them; 0 where that is free.")
    free_above = serializers.IntegerField(
        allow_null=True, help_text="Whole KES of goods from which on it is free; null: never."
    )
    days = serializers.IntegerField(help_text="How many days it takes, at most.")


class QuoteOutput(serializers.Serializer):
    """What it costs at this moment: of the lines that are available."""

    lines = QuotedLineOutput(many=True, help_text="In the order sent.")
    parcels = QuotedParcelOutput(many=True)
    goods = serializers.IntegerField(help_text="Whole KES.")
    delivery_fee = serializers.IntegerField(
        allow_null=True, help_text="Whole KES; null where nothing is brought there."
    )
    amount = serializers.IntegerField(
        allow_null=True, help_text="Whole KES in all; null where the fee is."
    )
    days = serializers.IntegerField(
        allow_null=True, help_text="How many days it takes, at most; null where nothing is brought."
    )
    problems = ProblemOutput(
        many=True,
        help_text="Of all of it: `no_such_point`, `point_closed`, `no_such_address`, `sign_in`, "
        "`no_rate`, `above_limit`, `fee_changed`, `price_changed`.",
    )
