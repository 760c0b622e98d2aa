"""Inputs of reviews, and the description of their outputs (made by representation.py)."""

from __future__ import annotations

import unicodedata
from typing import Any, ClassVar

from rest_framework import serializers

from omachemainproj.api.fields import WholeNumberField
from omachemainproj.text import clean_shown
from products.models import MAX_REVIEW


class PlainTextField(serializers.CharField):
    """Lines of plain text, at most 2,000 characters; whoever shows it escapes it."""

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
    """Stars, and words where the buyer has some."""

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
    returned = serializers.BooleanField(help_text="The goods went back afterwards.")
    answer = AnswerOutput(allow_null=True, help_text="The seller's.")


class ReviewedProductOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    thumbnail = serializers.URLField(allow_null=True)


class SellersReviewOutput(ReviewOutput):
    """One review in the list of whose goods it is of."""

    product = ReviewedProductOutput()


class OwnReviewOutput(ReviewOutput):
    """One review, as its writer sees it."""

    product = serializers.IntegerField()
    hidden = serializers.BooleanField(help_text="Staff took it out of sight.")
    editable_until = serializers.DateTimeField()


class SellerOutput(serializers.Serializer):
    """What is public of a seller."""

    user_name = serializers.CharField()
    display_name = serializers.CharField(help_text="Their first name, or else their user name.")
    avatar = serializers.URLField(allow_null=True, help_text="WebP, at most 400 px a side.")
    goods = serializers.IntegerField(min_value=0, help_text="How many can be bought.")
    stars = serializers.FloatField(
        allow_null=True,
        min_value=1,
        max_value=5,
        help_text="The mean of the reviews of all they sell, to one decimal; null without any.",
    )
    reviews = serializers.IntegerField(help_text="How many reviews.")
    member_since = serializers.DateField()
