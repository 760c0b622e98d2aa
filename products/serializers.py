"""Inputs of products, and OpenAPI descriptions of their outputs.

products.catalogue.representation builds the outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar, NoReturn, cast

from django.http import QueryDict
from rest_framework import serializers

from accounts.fields import PasswordField
from accounts.services import confirm_password
from omachemainproj.api.fields import (
    IdentifierField,
    MpesaNumberField,
    OneOfField,
    ShortListField,
    ShownTextField,
    StrictBooleanField,
    WholeNumberField,
)
from omachemainproj.images import PictureField
from omachemainproj.media import is_its_own_address
from omachemainproj.text import fold_identifier, has_controls, tidy_line

from .models import MAX_PRICE, MAX_SKU, MAX_STOCK, Category, Product

MAX_NAME = 100
MAX_DESCRIPTION = 5000
MAX_CART = 200
MAX_NOTE = 200
NOTHING_TO_ADD = "Give how many to add, or a negative number to take away."


class ProductOutput(serializers.ModelSerializer):
    """A product as the public sees it. ``price`` is whole KES, ``item_number`` the stock."""

    item_number = serializers.IntegerField(
        help_text="The stock, including units reserved for unpaid orders."
    )
    available = serializers.IntegerField(
        source="free", min_value=0, help_text="The units that can be bought now."
    )
    soldout = serializers.BooleanField(help_text="Nothing is `available`.")
    back_within = serializers.IntegerField(
        allow_null=True,
        help_text=(
            "If nothing is `available` but some units are only reserved for unpaid orders: seconds"
            " within which they become available unless they are paid for. Otherwise null."
        ),
    )

    user_name = serializers.CharField(source="seller.username", help_text="The seller.")
    image = serializers.ImageField(allow_null=True, help_text="At most 1600 px a side, WebP.")
    thumbnail = serializers.ImageField(allow_null=True, help_text="At most 400 px a side, WebP.")
    description = serializers.CharField(allow_blank=True)
    stars = serializers.FloatField(
        allow_null=True,
        min_value=1,
        max_value=5,
        help_text="The average of its reviews, to one decimal; null without any.",
    )
    reviews = serializers.IntegerField(source="review_count", help_text="The number of reviews.")

    class Meta:
        model = Product
        fields = [
            "id",
            "name",
            "image",
            "thumbnail",
            "description",
            "category",
            "price",
            "item_number",
            "available",
            "soldout",
            "back_within",
            "user_name",
            "created_at",
            "stars",
            "reviews",
        ]


class SellersProductOutput(ProductOutput):
    """A product as its seller sees it."""

    class Meta(ProductOutput.Meta):
        fields = [*ProductOutput.Meta.fields, "payment_mpesa_number"]


class PictureFileOutput(serializers.Serializer):
    """One size of a picture. Width and height are null until all sizes are drawn."""

    url = serializers.URLField()
    width = serializers.IntegerField(allow_null=True, help_text="Pixels.")
    height = serializers.IntegerField(allow_null=True, help_text="Pixels.")


class PictureOutput(serializers.Serializer):
    """One picture of a product."""

    id = serializers.IntegerField()
    sizes = PictureFileOutput(
        many=True,
        help_text="WebP, smallest first: 400, 800, 1600 px on the longer side. Never enlarged, so a"
        " small picture has fewer sizes.",
    )
    preview = PictureFileOutput(
        allow_null=True, help_text="JPEG of at most 600 px, for link previews."
    )


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


class ProductDetailOutput(ProductOutput):
    """A product. `payment_mpesa_number` and `listed` are included for its seller only."""

    pictures = PictureOutput(many=True, help_text="The first is `image`; at most 8.")
    payment_mpesa_number = serializers.CharField(required=False)
    listed = serializers.BooleanField(required=False)

    class Meta(ProductOutput.Meta):
        fields = [*ProductOutput.Meta.fields, "pictures", "payment_mpesa_number", "listed"]


class HomeOutput(serializers.Serializer):
    """The newest products for sale in six categories, at most 25 each."""

    electronics = ProductOutput(many=True)
    fashions = ProductOutput(many=True)
    kitchen = ProductOutput(many=True)
    computing = ProductOutput(many=True)
    gaming = ProductOutput(many=True)
    phonestablet = ProductOutput(many=True, help_text="Products of the category `phones`.")


def category_of(typed: str) -> str:
    """The category in lower case. ``phonestablet``, a key of the home page, becomes phones.

    An unknown category is returned as typed.
    """
    category = (typed if typed.isascii() else fold_identifier(typed)).strip().lower()
    return "phones" if category == "phonestablet" else category


class CategoryField(OneOfField):
    """One of the categories, in any case; ``phonestablet`` is another name for phones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Category.choices, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(category_of(data) if isinstance(data, str) else data))


class GivenOnce(serializers.Serializer):
    """Refuses a form in which a field is repeated."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, QueryDict):
            twice = [str(name) for name in self.fields if len(data.getlist(str(name))) > 1]
            if twice:
                raise serializers.ValidationError({name: ["Give this once."] for name in twice})
        return super().to_internal_value(data)


class ListingInput(GivenOnce):
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


class NewRowInput(CreateProductInput):
    """A new listing in a sheet, which may also be unlisted."""

    listed = StrictBooleanField(default=True)


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


class PictureInput(GivenOnce):
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


class DownloadOutput(serializers.Serializer):
    """A download address with a limited lifetime."""

    url = serializers.URLField(help_text="Works without a token.")
    expires_in = serializers.IntegerField(help_text="Seconds.")


class ImportInput(GivenOnce):
    """A sheet of listings."""

    example: ClassVar[dict[str, Any]] = {"file": "(the bytes of the file)", "check": True}

    file = serializers.FileField(
        help_text="CSV in UTF-8 or marked UTF-16, at most 2 MB and 1,000 rows."
    )
    check = StrictBooleanField(
        default=False, help_text="`true` only reports, without saving anything."
    )


class RowOutput(serializers.Serializer):
    """The outcome of a row, or its expected outcome if it was only checked."""

    row = serializers.IntegerField(help_text="Counted as in a spreadsheet: the header is row 1.")
    status = serializers.ChoiceField(["created", "updated", "unchanged", "failed"])
    id = serializers.IntegerField(allow_null=True, help_text="The listing's id.")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Why it failed, by column; `row` for the row as a whole.",
    )
    notes = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Remarks by column that did not make the row fail: values that were ignored or"
        " corrected, and changes of a sku.",
    )


class TotalsOutput(serializers.Serializer):
    """The number of rows with each outcome."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()


class ImportOutput(serializers.Serializer):
    """The outcome of an import, row by row."""

    check = serializers.BooleanField(help_text="Whether it was only checked.")
    rows = RowOutput(many=True)
    totals = TotalsOutput()


class ProductIdField(WholeNumberField):
    """The id of a product."""

    default_error_messages = {"whole": "Give product ids as whole numbers, like [3, 14]."}
    #: One that no product has is left out, however large it is.
    largest = inf


class CartInput(serializers.Serializer):
    """The ids of the products in a cart, at most 200."""

    ids = ShortListField(child=ProductIdField(), max_length=MAX_CART)
