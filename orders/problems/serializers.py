"""Input and output of problems. Outputs only describe the shapes built in representation.py."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from omachemainproj.api.fields import (
    OneOfField,
    ShownTextField,
    StrictBooleanField,
    WholeNumberField,
)
from omachemainproj.images import PictureField
from orders.models import (
    MAX_PICTURES,
    MAX_TEXT,
    Outcome,
    Party,
    ProblemKind,
    ProblemState,
    TrackStatus,
)


class ProblemSummaryOutput(serializers.Serializer):
    """The newest problem with a line."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(ProblemKind.choices)
    state = serializers.ChoiceField(ProblemState.choices)
    outcome = serializers.ChoiceField(
        Outcome.choices, allow_null=True, help_text="The outcome; null while it is undecided."
    )
    ended_by = serializers.ChoiceField(
        Party.choices,
        allow_null=True,
        help_text="Who ended it; null while it is undecided, and if the line was cancelled.",
    )
    refunded = serializers.IntegerField(help_text="Whole KES refunded, or due to be.")
    messages = serializers.IntegerField(help_text="Number of messages.")
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class PicturesField(serializers.ListField):
    """A few pictures. They are counted before any is decoded."""

    default_error_messages = {"too_many": f"Send at most {MAX_PICTURES} pictures at a time."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=PictureField(), required=False, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list) and len(data) > MAX_PICTURES:
            self.fail("too_many")
        return super().to_internal_value(data)


class MessageInput(serializers.Serializer):
    """A message about a problem; ``context`` has the ``request``."""

    example: ClassVar[dict[str, Any]] = {"text": "The lid is cracked."}

    text = ShownTextField(max_length=MAX_TEXT, help_text="Shown to buyer, seller and the shop.")
    pictures = PicturesField(
        help_text=(
            f"At most {MAX_PICTURES}, as `multipart/form-data`: JPEG, HEIC, PNG or WebP, 12 MB "
            "each and 13 MB in total. Only buyer, seller and the shop can see them."
        )
    )


class ProblemInput(MessageInput):
    """A report of a problem; ``context`` has the ``request``."""

    example: ClassVar[dict[str, Any]] = {**MessageInput.example, "kind": "damaged"}

    kind = OneOfField(ProblemKind.choices)


class AcceptInput(serializers.Serializer):
    """What the seller agrees to; an empty body is an immediate full refund."""

    amount = WholeNumberField(
        required=False,
        min_value=1,
        help_text="Whole KES of the price to refund; the buyer keeps the goods.",
    )
    bring_back = StrictBooleanField(
        required=False,
        default=False,
        help_text="Whether the goods have to be returned before the refund.",
    )
    note = ShownTextField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="The reason; shown to the buyer.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["bring_back"] and "amount" in attrs:
            raise serializers.ValidationError(
                {"amount": ["Returned goods are refunded in full: leave this out."]}
            )
        return attrs


class ReturnedInput(serializers.Serializer):
    """Confirms that the goods were returned."""

    goods_there = StrictBooleanField(help_text="Whether they can be sold again.")
    note = ShownTextField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="How they were returned; shown to the buyer.",
    )


class LineProblemOutput(ProblemSummaryOutput):
    """A problem with its line."""

    example: ClassVar[dict[str, Any]] = {
        "id": 31,
        "kind": "damaged",
        "state": "open",
        "outcome": None,
        "ended_by": None,
        "refunded": 0,
        "messages": 1,
        "opened_at": "2026-11-24T08:15:00.123456Z",
        "closed_at": None,
        "track": 512,
        "order": "PR7KWQ4M",
        "product": 41,
        "name": "Ramtons cordless kettle 1.7 L",
        "number": 1,
        "amount": 1850,
        "reduced": 0,
        "track_status": "delivered",
    }

    track = serializers.IntegerField(help_text="The line's id.")
    order = serializers.CharField(help_text="The order's reference.")
    product = serializers.IntegerField()
    name = serializers.CharField(help_text="The product's name at the sale.")
    number = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Whole KES: number × price, as agreed.")
    reduced = serializers.IntegerField(help_text="Whole KES by which it was reduced since.")
    track_status = serializers.ChoiceField(TrackStatus.choices)


class MessageOutput(serializers.Serializer):
    """A message or a decision about a problem."""

    example: ClassVar[dict[str, Any]] = {
        "id": 77,
        "by": "buyer",
        "text": "The lid is cracked.",
        "decided": None,
        "pictures": ["http://127.0.0.1:8000/track/512/problem/pictures/12/"],
        "at": "2026-11-24T08:15:00.123456Z",
    }

    id = serializers.IntegerField()
    by = serializers.ChoiceField(Party.choices)
    text = serializers.CharField(allow_blank=True)
    decided = serializers.ChoiceField(
        [*Outcome.values, ProblemState.RETURNING.value],
        allow_null=True,
        help_text="The decision; null for a message.",
    )
    pictures = serializers.ListField(
        child=serializers.URLField(), help_text="They need the caller's token."
    )
    at = serializers.DateTimeField()
