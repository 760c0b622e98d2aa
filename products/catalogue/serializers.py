"""The input of a cart, and OpenAPI descriptions of home, categories and suggestions.

The views build the responses.
"""

from __future__ import annotations

from math import inf

from rest_framework import serializers

from omachemainproj.api.fields import ShortListField, WholeNumberField
from products.models import Category
from products.serializers import ProductOutput

MAX_CART = 200


class HomeOutput(serializers.Serializer):
    """The newest products for sale in six categories, at most 25 each."""

    electronics = ProductOutput(many=True)
    fashions = ProductOutput(many=True)
    kitchen = ProductOutput(many=True)
    computing = ProductOutput(many=True)
    gaming = ProductOutput(many=True)
    phonestablet = ProductOutput(many=True, help_text="Products of the category `phones`.")


class LabelsOutput(serializers.Serializer):
    en = serializers.CharField()
    sw = serializers.CharField()


class CategoryOutput(serializers.Serializer):
    """A category, with the number of products for sale in it."""

    key = serializers.ChoiceField(Category.choices)
    label = serializers.CharField(help_text="In the language of `Accept-Language`.")  # type: ignore[assignment]
    labels = LabelsOutput()
    for_sale = serializers.IntegerField(min_value=0, help_text="The number of products for sale.")
    thumbnail = serializers.URLField(allow_null=True, help_text="That of the newest product.")


class SuggestedProductOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    thumbnail = serializers.URLField(allow_null=True)
    price = serializers.IntegerField(help_text="Whole KES.")


class SuggestOutput(serializers.Serializer):
    """Suggestions while the user types a search."""

    words = serializers.ListField(child=serializers.CharField(), max_length=5)
    products = SuggestedProductOutput(many=True)


class ProductIdField(WholeNumberField):
    """The id of a product."""

    default_error_messages = {"whole": "Give product ids as whole numbers, like [3, 14]."}
    #: One that no product has is left out, however large it is.
    largest = inf


class CartInput(serializers.Serializer):
    """The ids of the products in a cart, at most 200."""

    ids = ShortListField(child=ProductIdField(), max_length=MAX_CART)
