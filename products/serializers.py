"""Products as several packages describe them: outputs for OpenAPI, categories, forms.

products.catalogue.representation builds the outputs.
"""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from omachemainproj.api.fields import OneOfField
from omachemainproj.text import fold_identifier

from .models import Category, Product


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


class ProductDetailOutput(ProductOutput):
    """A product. `payment_mpesa_number` and `listed` are included for its seller only."""

    pictures = PictureOutput(many=True, help_text="The first is `image`; at most 8.")
    payment_mpesa_number = serializers.CharField(required=False)
    listed = serializers.BooleanField(required=False)

    class Meta(ProductOutput.Meta):
        fields = [*ProductOutput.Meta.fields, "pictures", "payment_mpesa_number", "listed"]


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


class NoRepeatedFields(serializers.Serializer):
    """Refuses a form in which a field is repeated."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, QueryDict):
            twice = [str(name) for name in self.fields if len(data.getlist(str(name))) > 1]
            if twice:
                raise serializers.ValidationError({name: ["Give this once."] for name in twice})
        return super().to_internal_value(data)
