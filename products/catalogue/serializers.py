"""The description of categories and suggestions (made by views.py)."""

from __future__ import annotations

from rest_framework import serializers

from products.models import Category


class LabelsOutput(serializers.Serializer):
    en = serializers.CharField()
    sw = serializers.CharField()


class CategoryOutput(serializers.Serializer):
    """A category, and what there is of it."""

    key = serializers.ChoiceField(Category.choices)
    label = serializers.CharField(help_text="In the language of `Accept-Language`.")  # type: ignore[assignment]
    labels = LabelsOutput()
    for_sale = serializers.IntegerField(min_value=0, help_text="How many goods can be bought.")
    thumbnail = serializers.URLField(allow_null=True, help_text="The newest of these goods'.")


class SuggestedProductOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    thumbnail = serializers.URLField(allow_null=True)
    price = serializers.IntegerField(help_text="Whole KES.")


class SuggestOutput(serializers.Serializer):
    """What somebody who is typing may be looking for."""

    words = serializers.ListField(child=serializers.CharField(), max_length=5)
    products = SuggestedProductOutput(many=True)
