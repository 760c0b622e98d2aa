"""What the catalogue takes, and the description of what it gives (made by products.rows)."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from omachemainproj.fields import MpesaNumberField, WholeNumberField
from omachemainproj.pictures import PictureField

from .models import MAX_PRICE, MAX_STOCK, Category, Product

MAX_NAME = 100
MAX_DESCRIPTION = 5000
MAX_CART = 200


class ProductOutput(serializers.ModelSerializer):
    """A product as the public sees it. ``price`` is whole KES, ``item_number`` the stock."""

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
            "soldout",
            "user_name",
            "created_at",
            "stars",
            "reviews",
        ]


class SellersProductOutput(ProductOutput):
    """A product as its own seller sees it."""

    class Meta(ProductOutput.Meta):
        fields = [*ProductOutput.Meta.fields, "payment_mpesa_number"]


class ProductDetailOutput(ProductOutput):
    """A product; ``payment_mpesa_number`` is there for its own seller only."""

    payment_mpesa_number = serializers.CharField(required=False)

    class Meta(ProductOutput.Meta):
        fields = [*ProductOutput.Meta.fields, "payment_mpesa_number"]


class HomeOutput(serializers.Serializer):
    """The newest of six categories, at most 25 each, nothing sold out."""

    electronics = ProductOutput(many=True)
    fashions = ProductOutput(many=True)
    kitchen = ProductOutput(many=True)
    computing = ProductOutput(many=True)
    gaming = ProductOutput(many=True)
    phonestablet = ProductOutput(many=True, help_text="Products of the category `phones`.")


class CategoryField(serializers.ChoiceField):
    """One of the eight categories; ``phonestablet`` is another name for phones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=Category.choices, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value("phones" if data == "phonestablet" else data))


class CreateProductInput(serializers.Serializer):
    """A new listing. The seller is who sends it; anything not listed here is not read."""

    name = serializers.CharField(max_length=MAX_NAME)
    image = PictureField(required=False, allow_null=True)
    description = serializers.CharField(
        max_length=MAX_DESCRIPTION, required=False, allow_blank=True, default=""
    )
    category = CategoryField()
    item_number = WholeNumberField(
        min_value=1, max_value=MAX_STOCK, help_text="How many there are to sell."
    )
    price = WholeNumberField(min_value=1, max_value=MAX_PRICE, help_text="Whole KES, each.")
    payment_mpesa_number = MpesaNumberField(help_text="Where the seller is paid.")

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, QueryDict):
            twice = [str(name) for name in self.fields if len(data.getlist(str(name))) > 1]
            if twice:
                raise serializers.ValidationError({name: ["Give this once."] for name in twice})
        return super().to_internal_value(data)

    def validate_name(self, name: str) -> str:
        """One line of words: spaces between them once, and something to read."""
        name = " ".join(unicodedata.normalize("NFC", name).split())
        if not any(letter.isalnum() for letter in name):
            raise serializers.ValidationError("Give a name with letters or digits.")
        if not name.isprintable():
            raise serializers.ValidationError("Give a name without control characters.")
        return name


class ProductIdField(serializers.IntegerField):
    """A JSON integer and nothing that only looks like one: true, "7" and 7.0 are refused."""

    default_error_messages = {"whole": "Give product ids as whole numbers, like [3, 14]."}

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("whole")
        return data


class CartInput(serializers.Serializer):
    """The ids in a cart, at most 200."""

    ids = serializers.ListField(child=ProductIdField(), max_length=MAX_CART)
