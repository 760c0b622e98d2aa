"""The inputs of a sheet of listings, and OpenAPI descriptions of its outcome and of a download."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from omachemainproj.api.fields import StrictBooleanField
from products.listings.serializers import CreateProductInput
from products.serializers import NoRepeatedFields


class NewRowInput(CreateProductInput):
    """A new listing in a sheet, which may also be unlisted."""

    listed = StrictBooleanField(default=True)


class ImportInput(NoRepeatedFields):
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


class DownloadOutput(serializers.Serializer):
    """A download address with a limited lifetime."""

    url = serializers.URLField(help_text="Works without a token.")
    expires_in = serializers.IntegerField(help_text="Seconds.")
