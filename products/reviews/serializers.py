"""Inputs of reviews, and descriptions of the outputs that representation.py builds."""

from __future__ import annotations

import unicodedata
from typing import Any, ClassVar

from rest_framework import serializers

from omachemainproj.api.fields import WholeNumberField
from omachemainproj.text import clean_shown
from products.models import MAX_REVIEW


class PlainTextField(serializers.CharField):
    """Lines of plain text, at most 2,000 characters. Not escaped: clients have to do that."""

    default_error_messages = {"control": "Write this without control characters."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_REVIEW, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = clean_shown(super().to_internal_value(data).replace("\r\n", "\n"))
        if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in text):
            self.fail("control")
        if not text and not self.allow_blank:
            self.fail("blank")
        return text


class ReviewInput(serializers.Serializer):
    """Stars and an optional text."""

    example: ClassVar[dict[str, Any]] = {"stars": 4, "text": "Boils fast. The lid is stiff."}

    stars = WholeNumberField(min_value=1, max_value=5)
    text = PlainTextField(required=False, allow_blank=True)


class AnswerInput(serializers.Serializer):
    """The seller's answer."""

    example: ClassVar[dict[str, Any]] = {"text": "Asante! The lid gets easier."}

    text = PlainTextField()


class AnswerOutput(serializers.Serializer):
    text = serializers.CharField()
    created_at = serializers.DateTimeField()


class ReviewOutput(serializers.Serializer):
    """One review, as the public sees it."""

    id = serializers.IntegerField()
    stars = serializers.IntegerField(min_value=1, max_value=5)
    text = serializers.CharField(help_text="Plain text; may be empty.")
    by = serializers.CharField(help_text="The buyer's first name, or “A buyer”.")
    created_at = serializers.DateTimeField()
    edited = serializers.BooleanField()
    returned = serializers.BooleanField(help_text="The goods were returned afterwards.")
    answer = AnswerOutput(allow_null=True, help_text="The seller's answer.")


class ReviewedProductOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    thumbnail = serializers.URLField(allow_null=True)


class SellersReviewOutput(ReviewOutput):
    """One review in the seller's own list."""

    product = ReviewedProductOutput()


class OwnReviewOutput(ReviewOutput):
    """One review, as its writer sees it."""

    product = serializers.IntegerField()
    hidden = serializers.BooleanField(help_text="Hidden by staff.")
    editable_until = serializers.DateTimeField()


class SellerOutput(serializers.Serializer):
    """A seller's public profile."""

    user_name = serializers.CharField()
    display_name = serializers.CharField(help_text="Their first name, or else their user name.")
    avatar = serializers.URLField(allow_null=True, help_text="WebP, at most 400 px a side.")
    goods = serializers.IntegerField(min_value=0, help_text="The number of products for sale.")
    stars = serializers.FloatField(
        allow_null=True,
        min_value=1,
        max_value=5,
        help_text="The average of all their reviews, to one decimal; null without any.",
    )
    reviews = serializers.IntegerField(help_text="The number of reviews.")
    member_since = serializers.DateField()
