"""Inputs of listings, their pictures and their stock, and OpenAPI descriptions of the outputs.

products.catalogue.representation builds the outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn, cast

from rest_framework import serializers

from accounts.fields import PasswordField
from accounts.services import confirm_password
from omachemainproj.api.fields import (
    IdentifierField,
    MpesaNumberField,
    ShortListField,
    ShownTextField,
    StrictBooleanField,
    WholeNumberField,
)
from omachemainproj.images import PictureField
from omachemainproj.media import is_its_own_address
from omachemainproj.text import has_controls, tidy_line
from products.models import MAX_PRICE, MAX_SKU, MAX_STOCK, Product
from products.serializers import (
    CategoryField,
    NoRepeatedFields,
    PictureOutput,
    SellersProductOutput,
)

MAX_NAME = 100
MAX_DESCRIPTION = 5000
MAX_NOTE = 200
NOTHING_TO_ADD = "Give how many to add, or a negative number to take away."


class ListingOutput(SellersProductOutput):
    """A product in its seller's own list, with its stock, sales and visibility."""

    sku = serializers.CharField(allow_null=True)
    on_shelf = serializers.IntegerField(
        source="item_number", help_text="The same as `item_number`."
    )
    held = serializers.IntegerField(help_text="Units reserved for unpaid orders.")
    free = serializers.IntegerField(help_text="Units that can be sold: `on_shelf` less `held`.")
    sold = serializers.IntegerField(help_text="Units sold in paid orders and not returned.")

    pictures = PictureOutput(many=True, help_text="The first is `image`; at most 8.")

    class Meta(SellersProductOutput.Meta):
        fields = [
            *SellersProductOutput.Meta.fields,
            "sku",
            "on_shelf",
            "held",
            "free",
            "sold",
            "listed",
            "pictures",
        ]


class ListingInput(NoRepeatedFields):
    """The fields of a listing, for the API and for CSV files."""

    name = ShownTextField(max_length=MAX_NAME, turned="Give a name without control characters.")
    image = PictureField(
        gallery=True,
        required=False,
        allow_null=True,
        help_text="JPEG, HEIC, PNG or WebP, at most 12 MB and 51 megapixels (PNG, WebP: 24).",
    )
    description = ShownTextField(
        max_length=MAX_DESCRIPTION, required=False, allow_blank=True, default=""
    )
    category = CategoryField()
    price = WholeNumberField(min_value=1, max_value=MAX_PRICE, help_text="Whole KES, each.")
    payment_mpesa_number = MpesaNumberField(help_text="The phone the seller is paid at.")
    sku = IdentifierField(
        max_length=MAX_SKU,
        turned="Give a sku without control characters.",
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Your own code for the product, unique among your listings.",
    )

    def validate_name(self, name: str) -> str:
        """Normalise the name; refuse it without letters or digits, or with control characters."""
        name = tidy_line(name)
        if not any(letter.isalnum() for letter in name):
            raise serializers.ValidationError("Give a name with letters or digits.")
        if has_controls(name):
            raise serializers.ValidationError("Give a name without control characters.")
        return name

    def validate_sku(self, sku: str | None) -> str | None:
        """Return None for an empty sku, so that any number of listings can have none."""
        if sku and has_controls(sku):
            raise serializers.ValidationError("Give a sku without control characters.")
        return sku or None


class CreateProductInput(ListingInput):
    """A new listing. The caller is the seller; unknown fields are ignored."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Ramtons cordless kettle 1.7 L",
        "description": "Boils in four minutes and switches itself off.",
        "category": "kitchen",
        "price": 1850,
        "item_number": 12,
        "payment_mpesa_number": "0722000001",
    }

    item_number = WholeNumberField(
        min_value=1, max_value=MAX_STOCK, help_text="The number of units in stock."
    )


class EditProductInput(ListingInput):
    """Changes of a listing. Omitted fields stay unchanged.

    ``context`` needs the ``request``, whose user's password is checked.
    """

    example: ClassVar[dict[str, Any]] = {"price": 1650, "listed": True}

    listed = StrictBooleanField(required=False, help_text="Whether the public sees it.")
    password = PasswordField(
        required=False, help_text="Your password; required to change `payment_mpesa_number`."
    )

    def to_internal_value(self, data: Any) -> Any:
        product: Any = self.instance
        if isinstance(data, Mapping) and is_its_own_address(product.image, data.get("image")):
            data = {name: data[name] for name in data if name != "image"}
        values = super().to_internal_value(data)
        if "item_number" in data:
            address = f"/product/{product.pk}/restock/"
            message = f'Stock is added, not overwritten: POST {address} with {{"number": 5}}.'
            raise serializers.ValidationError({"item_number": [message]})
        return values

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        password = attrs.pop("password", "")
        before = cast(Product, self.instance).payment_mpesa_number
        if attrs.get("payment_mpesa_number", before) == before:
            return attrs
        if not password:
            self._refuse_password("Give your password to change where you are paid.")
        request = self.context["request"]
        if not confirm_password(request._request, request.user, password=password):
            self._refuse_password("This is not your password.")
        return attrs

    def _refuse_password(self, message: str) -> NoReturn:
        raise serializers.ValidationError({"password": [message]})


class PictureInput(NoRepeatedFields):
    """A new picture of a product."""

    example: ClassVar[dict[str, Any]] = {"image": "(the bytes of the file)"}

    image = PictureField(
        gallery=True,
        help_text="JPEG, HEIC, PNG or WebP, at most 12 MB and 51 megapixels (PNG, WebP: 24).",
    )


class PictureOrderInput(serializers.Serializer):
    """A new order of a product's pictures."""

    order = ShortListField(
        child=WholeNumberField(),
        max_length=100,
        help_text="The ids of all pictures; the first becomes `image`.",
    )


class RestockInput(serializers.Serializer):
    """A change of the stock."""

    number = WholeNumberField(
        min_value=-MAX_STOCK,
        max_value=MAX_STOCK,
        help_text="Units to add. A negative number removes free units, for example broken ones.",
    )
    note = ShownTextField(
        max_length=MAX_NOTE, required=False, allow_blank=True, default="", help_text="The reason."
    )

    def validate_number(self, number: int) -> int:
        if number == 0:
            raise serializers.ValidationError(NOTHING_TO_ADD)
        return number


class StockMoveOutput(serializers.Serializer):
    """One change of the stock."""

    id = serializers.IntegerField()
    number = serializers.IntegerField(help_text="Negative if units were removed.")
    kind = serializers.ChoiceField(["listed", "restocked", "sold", "returned"])
    note = serializers.CharField(allow_blank=True)
    by = serializers.CharField(allow_null=True, help_text="The user; null for an order.")
    created_at = serializers.DateTimeField()
