"""Input and output of destinations. Outputs only describe the shapes built elsewhere."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator
from rest_framework import serializers

from accounts.addresses.serializers import CountyField, LineField
from accounts.counties import County
from omachemainproj.api.fields import (
    MAX_ID,
    MpesaNumberField,
    WholeNumberField,
)
from omachemainproj.mpesa_limits import MAX_PAYMENT
from orders.models import DeliveryWay

from .destinations import Destination

#: Required members of a full address.
_OF_A_PLACE = ("recipient", "phone", "county", "area")
_WHICH = (
    "Give one destination: a pick-up point (`pickup_point`), one of your addresses (`address`), "
    "or a full address (`recipient`, `phone`, `county`, `area`, `directions`)."
)


class DeliveryInput(serializers.Serializer):
    """A destination: a pick-up point, one of the caller's addresses, or a full address."""

    pickup_point = WholeNumberField(
        min_value=1,
        required=False,
        allow_null=True,
        validators=[MaxValueValidator(MAX_ID, "There is no such pick-up point.")],
        help_text="The id of a pick-up point that is open.",
    )
    address = WholeNumberField(
        min_value=1,
        required=False,
        allow_null=True,
        validators=[MaxValueValidator(MAX_ID, "You have no such address.")],
        help_text="The id of one of the caller's addresses.",
    )
    recipient = LineField(
        max_length=100,
        required=False,
        allow_null=True,
        help_text="Recipient of the goods; at a pick-up point the caller by default.",
    )
    phone = MpesaNumberField(
        required=False,
        allow_null=True,
        help_text="The number to call; at a pick-up point the caller's by default.",
    )
    county = CountyField(required=False, allow_null=True, help_text="Its key, of `/counties/`.")
    area = LineField(
        max_length=100, required=False, allow_null=True, help_text="Town, estate or street."
    )
    directions = LineField(
        max_length=300,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="A landmark, or how to find it.",
    )
    fee = WholeNumberField(
        min_value=0,
        max_value=MAX_PAYMENT,
        required=False,
        allow_null=True,
        help_text="Whole KES for all parcels, as shown to the buyer; 409 if the fee is different "
        "now.",
    )

    #: Required members of a full address; a subclass may need fewer.
    needed: tuple[str, ...] = _OF_A_PLACE

    def validate(self, attrs: dict[str, Any]) -> Destination:
        """Return the destination. Raises ValidationError for none and for more than one."""
        given = {name: value for name, value in attrs.items() if value is not None}
        written = given.keys() & {"county", "area", "directions"}
        beside = given.keys() & {"recipient", "phone"}
        named = [name for name in ("pickup_point", "address") if name in given]
        if len(named) > 1 or (named and written) or ("address" in given and beside):
            raise serializers.ValidationError(_WHICH)
        if not named:
            if not written and not beside:
                raise serializers.ValidationError(_WHICH)
            missing = [name for name in self.needed if name not in given]
            if missing:
                raise serializers.ValidationError(
                    {name: ["This field is required."] for name in missing}, code="required"
                )
        return Destination(**given)


class DeliveryOutput(serializers.Serializer):
    """The destination of an order, as agreed."""

    way = serializers.ChoiceField(DeliveryWay.choices)
    place = serializers.CharField(help_text="The destination in one line.")
    pickup_point = serializers.IntegerField(
        allow_null=True, help_text="The point's id; null for an address."
    )
    recipient = serializers.CharField(help_text="Recipient of the goods.")
    phone = serializers.CharField(help_text="The number to call, 12 digits: 2547… or 2541….")
    county = serializers.ChoiceField(County.choices)
    county_name = serializers.CharField()
    area = serializers.CharField(help_text="Town, estate or street; for a point also its name.")
    directions = serializers.CharField()
    opening_hours = serializers.CharField(
        allow_null=True, help_text="For a pick-up point; null for an address."
    )
    days = serializers.IntegerField(help_text="Delivery time in days, as estimated at the sale.")


class OrderDeliveryOutput(DeliveryOutput):
    fee = serializers.IntegerField(help_text="Whole KES for all parcels.")


class PickupPointFilterInput(serializers.Serializer):
    """Filter of pick-up points."""

    county = CountyField(required=False, help_text="A key from `/counties/`; all by default.")


class PickupPointOutput(serializers.Serializer):
    """A pick-up point that accepts parcels."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    county = serializers.ChoiceField(County.choices)
    county_name = serializers.CharField()
    area = serializers.CharField(help_text="Town, estate or street.")
    directions = serializers.CharField(help_text="A landmark.")
    opening_hours = serializers.CharField()
    phone = serializers.CharField(help_text="12 digits: 2547… or 2541….")
