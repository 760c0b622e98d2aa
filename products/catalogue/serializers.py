"""OpenAPI descriptions of categories and suggestions. The views build the responses."""

from __future__ import annotations

from rest_framework import serializers

from products.models import Category


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
