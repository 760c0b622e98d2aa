"""Inputs of products, and the description of their outputs.

The outputs themselves are made by products.catalogue.representation.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar, NoReturn, cast

from django.http import QueryDict
from rest_framework import serializers

from accounts.serializers import PasswordField
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
#: As a refusal names them.
NOTHING_TO_ADD = "Give how many to add, or a negative number to take away."


class ProductOutput(serializers.ModelSerializer):
    """A product as the public sees it. ``price`` is whole KES, ``item_number`` the stock."""

    item_number = serializers.IntegerField(
        help_text="On the shelf, with what is held for orders that are not paid yet."
    )
    available = serializers.IntegerField(
        source="free", min_value=0, help_text="What can be bought now: the shelf less what is held."
    )
    soldout = serializers.BooleanField(help_text="Nothing is `available`.")
    back_within = serializers.IntegerField(
        allow_null=True,
        help_text=(
            "Where nothing is `available`, and some is only held: seconds within which it comes"
            " back unless it is paid for. Otherwise null."
        ),
    )

    user_name = serializers.CharField(source="seller.username", help_text="Its seller.")
    image = serializers.ImageField(allow_null=True, help_text="At most 1600 px a side, WebP.")
    thumbnail = serializers.ImageField(allow_null=True, help_text="At most 400 px a side, WebP.")
    description = serializers.CharField(allow_blank=True)
    stars = serializers.FloatField(
        allow_null=True,
        min_value=1,
        max_value=5,
        help_text="The mean of its reviews, to one decimal; null without any.",
    )
    reviews = serializers.IntegerField(source="review_count", help_text="How many reviews.")

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
    """A product as its own seller sees it."""

    class Meta(ProductOutput.Meta):
        fields = [*ProductOutput.Meta.fields, "payment_mpesa_number"]


class PictureFileOutput(serializers.Serializer):
    """One size of a picture. Not known yet of a picture whose sizes are still to be drawn."""

    url = serializers.URLField()
    width = serializers.IntegerField(allow_null=True, help_text="Pixels.")
    height = serializers.IntegerField(allow_null=True, help_text="Pixels.")


class PictureOutput(serializers.Serializer):
    """One picture of a product."""

    id = serializers.IntegerField()
    sizes = PictureFileOutput(
        many=True,
        help_text="WebP, the smallest first: 400, 800, 1600 px on the longer side; never blown up,"
        " so a small picture has fewer.",
    )
    preview = PictureFileOutput(
        allow_null=True, help_text="JPEG of at most 600 px, as link previews want it."
    )


class ListingOutput(SellersProductOutput):
    """A product in its seller's own list: on the shelf, held, free, sold, and shown or not."""

    sku = serializers.CharField(allow_null=True)
    on_shelf = serializers.IntegerField(source="item_number", help_text="The same `item_number`.")
    held = serializers.IntegerField(help_text="Promised to orders that are not paid yet.")
    free = serializers.IntegerField(help_text="What can still be sold: on shelf less held.")
    sold = serializers.IntegerField(help_text="Left the shelf for paid orders and did not return.")

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
    """A product; `payment_mpesa_number` and `listed` are there for its own seller only."""

    pictures = PictureOutput(many=True, help_text="The first is `image`; at most 8.")
    payment_mpesa_number = serializers.CharField(required=False)
    listed = serializers.BooleanField(required=False)

    class Meta(ProductOutput.Meta):
        fields = [*ProductOutput.Meta.fields, "pictures", "payment_mpesa_number", "listed"]


class HomeOutput(serializers.Serializer):
    """The newest of six categories, at most 25 each, nothing sold out."""

    electronics = ProductOutput(many=True)
    fashions = ProductOutput(many=True)
    kitchen = ProductOutput(many=True)
    computing = ProductOutput(many=True)
    gaming = ProductOutput(many=True)
    phonestablet = ProductOutput(many=True, help_text="Products of the category `phones`.")


def category_of(typed: str) -> str:
    """The category that was meant, if it is one, in any case.

    The home page's ``phonestablet`` is another name for phones.
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
    """Refuses a form that has the same field twice."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, QueryDict):
            twice = [str(name) for name in self.fields if len(data.getlist(str(name))) > 1]
            if twice:
                raise serializers.ValidationError({name: ["Give this once."] for name in twice})
        return super().to_internal_value(data)


class ListingInput(GivenOnce):
    """The fields of a listing, for the API and for sheets."""

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
    payment_mpesa_number = MpesaNumberField(help_text="Where the seller is paid.")
    sku = IdentifierField(
        max_length=MAX_SKU,
        turned="Give a sku without control characters.",
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Your own code for it; no two of your listings have the same.",
    )

    def validate_name(self, name: str) -> str:
        """Tidy the name; refuse one without letters or digits, or with control characters."""
        name = tidy_line(name)
        if not any(letter.isalnum() for letter in name):
            raise serializers.ValidationError("Give a name with letters or digits.")
        if has_controls(name):
            raise serializers.ValidationError("Give a name without control characters.")
        return name

    def validate_sku(self, sku: str | None) -> str | None:
        """None for an empty sku, so that any number of listings have none."""
        if sku and has_controls(sku):
            raise serializers.ValidationError("Give a sku without control characters.")
        return sku or None


class CreateProductInput(ListingInput):
    """A new listing. The seller is who sends it; anything not listed here is not read."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Ramtons cordless kettle 1.7 L",
        "description": "Boils in four minutes and switches itself off.",
        "category": "kitchen",
        "price": 1850,
        "item_number": 12,
        "payment_mpesa_number": "0722000001",
    }

    item_number = WholeNumberField(
        min_value=1, max_value=MAX_STOCK, help_text="How many there are to sell."
    )


class NewRowInput(CreateProductInput):
    """A new listing in a sheet, which may also be one that is not shown yet."""

    listed = StrictBooleanField(default=True)


class EditProductInput(ListingInput):
    """What a seller changes of a listing; what is left out stays as it is.

    ``context`` has the ``request``, whose user the password is asked of.
    """

    example: ClassVar[dict[str, Any]] = {"price": 1650, "listed": True}

    listed = StrictBooleanField(required=False, help_text="Whether the public sees it.")
    password = PasswordField(
        required=False, help_text="Yours; needed to change `payment_mpesa_number`."
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
    """Another picture of a product."""

    example: ClassVar[dict[str, Any]] = {"image": "(the bytes of the file)"}

    image = PictureField(
        gallery=True,
        help_text="JPEG, HEIC, PNG or WebP, at most 12 MB and 51 megapixels (PNG, WebP: 24).",
    )


class PictureOrderInput(serializers.Serializer):
    """The pictures of a product in another order."""

    order = ShortListField(
        child=WholeNumberField(), max_length=100, help_text="All their ids; the first is `image`."
    )


class RestockInput(serializers.Serializer):
    """How many more there are, or fewer."""

    number = WholeNumberField(
        min_value=-MAX_STOCK,
        max_value=MAX_STOCK,
        help_text="How many to add; negative takes away what is free, like broken goods.",
    )
    note = ShownTextField(
        max_length=MAX_NOTE, required=False, allow_blank=True, default="", help_text="Why."
    )

    def validate_number(self, number: int) -> int:
        if number == 0:
            raise serializers.ValidationError(NOTHING_TO_ADD)
        return number


class StockMoveOutput(serializers.Serializer):
    """One change of what stands on the shelf."""

    id = serializers.IntegerField()
    number = serializers.IntegerField(help_text="Negative where it left the shelf.")
    kind = serializers.ChoiceField(["listed", "restocked", "sold", "returned"])
    note = serializers.CharField(allow_blank=True)
    by = serializers.CharField(allow_null=True, help_text="Who, if it was no order.")
    created_at = serializers.DateTimeField()


class DownloadOutput(serializers.Serializer):
    """An address that is good for a while."""

    url = serializers.URLField(help_text="To be opened as it is, without a token.")
    expires_in = serializers.IntegerField(help_text="Seconds.")


class ImportInput(GivenOnce):
    """A sheet of listings."""

    example: ClassVar[dict[str, Any]] = {"file": "(the bytes of the file)", "check": True}

    file = serializers.FileField(
        help_text="CSV in UTF-8 or marked UTF-16, at most 2 MB and 1,000 rows."
    )
    check = StrictBooleanField(default=False, help_text="`true` only tells, and changes nothing.")


class RowOutput(serializers.Serializer):
    """What became of a row, or would have, when it was only checked."""

    row = serializers.IntegerField(help_text="As a spreadsheet counts: the header is row 1.")
    status = serializers.ChoiceField(["created", "updated", "unchanged", "failed"])
    id = serializers.IntegerField(allow_null=True, help_text="The listing's.")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Why it failed, by column; `row` is the row as such.",
    )
    notes = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What was left aside, read otherwise than written, or changed of a sku, by"
        " column; the row did not fail for it.",
    )


class TotalsOutput(serializers.Serializer):
    """How many rows ended how."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()


class ImportOutput(serializers.Serializer):
    """What became of a sheet, row by row."""

    check = serializers.BooleanField(help_text="Whether it was only checked.")
    rows = RowOutput(many=True)
    totals = TotalsOutput()


class ProductIdField(WholeNumberField):
    """The number of a product."""

    default_error_messages = {"whole": "Give product ids as whole numbers, like [3, 14]."}
    #: One that no product has is left out, however large it is.
    largest = inf


class CartInput(serializers.Serializer):
    """The ids in a cart, at most 200."""

    ids = ShortListField(child=ProductIdField(), max_length=MAX_CART)
