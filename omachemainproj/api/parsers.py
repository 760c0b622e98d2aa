"""Parsers of request bodies: JSON, forms with files, and CSV, each with a size limit.

The limits are those of docs/limits.md. DRF's own JSON parser answers 500 to deep nesting, reads
1e400 as infinity and lets duplicate keys shadow each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser, MultiPartParser

from omachemainproj.bodies import INCOMPLETE_BODY, ClosingMissing
from omachemainproj.strict_json import MAX_DEPTH, MAX_DIGITS, Fault, NotStrictJson, read_json

_LENGTH = re.compile(r"[0-9]{1,18}")

#: Error messages for invalid JSON.
_SENTENCES = {
    Fault.NOT_UTF8: "The body is not UTF-8.",
    Fault.NOT_JSON: "The body is not JSON: {detail}.",
    Fault.DUPLICATE_KEY: "The JSON has the same key twice in one object.",
    Fault.NOT_A_NUMBER: "{detail} is not a number in JSON.",
    Fault.LONG_INTEGER: f"A number has more than {MAX_DIGITS} digits.",
    Fault.LONG_FRACTION: f"A number is infinite or has more than {MAX_DIGITS} digits.",
    Fault.OUT_OF_RANGE: f"A number is infinite or has more than {MAX_DIGITS} digits.",
    Fault.TOO_DEEP: f"The JSON is nested deeper than {MAX_DEPTH} levels.",
    Fault.NUL: "A text contains the character NUL.",
    Fault.HALF_A_CHARACTER: "A text contains NUL or half a character.",
}


class BodyTooLarge(APIException):
    """The body is longer than this endpoint reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


def load_strict_json(raw: bytes) -> Any:
    """Parse JSON that is unambiguous (omachemainproj.strict_json).

    Fractions are floats. Raises ValueError, with a sentence for the sender.
    """
    try:
        return read_json(raw, fractions=float)
    except NotStrictJson as error:
        raise ValueError(_SENTENCES[error.fault].format(detail=error.detail)) from error


def _refuse_charset(media_type: str | None) -> None:
    for part in (media_type or "").split(";")[1:]:
        name, _, value = part.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType(media_type or "", detail="Send UTF-8.", code="charset")


def _instead_of_json(parser_context: Mapping[str, Any] | None) -> str:
    """Advice for a JSON body that is too large: often it is a picture as base64."""
    view = (parser_context or {}).get("view")
    takes = getattr(view, "parser_classes", ())
    if any(issubclass(parser, MultiPartParser) for parser in takes):
        return " Send pictures as files, in a form (multipart/form-data)."
    return ""


def _refuse_length(parser_context: Mapping[str, Any] | None, limit: int, instead: str = "") -> None:
    request = (parser_context or {}).get("request")
    length = str(request.META.get("CONTENT_LENGTH") or "0") if request is not None else "0"
    if not _LENGTH.fullmatch(length):
        raise ParseError("Content-Length is not a number.")
    if int(length) > limit:
        raise _too_large(limit, instead)


def _too_large(limit: int, instead: str = "") -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit // 1024} kB.{instead}")


class StrictJSONParser(BaseParser):
    """``application/json``, at most 64 kB, read by ``load_strict_json``."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        _refuse_charset(media_type)
        limit, instead = settings.JSON_BODY_MAX, _instead_of_json(parser_context)
        _refuse_length(parser_context, limit, instead)
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise _too_large(limit, instead)
        try:
            return load_strict_json(raw)
        except ValueError as error:
            raise ParseError(str(error)) from error


class StrictMultiPartParser(MultiPartParser):
    """``multipart/form-data``, at most 13 MB in all; fields and files are counted by Django."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        _refuse_charset(media_type)
        _refuse_length(parser_context, settings.MULTIPART_BODY_MAX)
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError as error:
            if isinstance(error.__context__, ClosingMissing):
                raise ParseError(INCOMPLETE_BODY, "body_broke_off") from error
            raise


class CSVParser(BaseParser):
    """``text/csv``, at most 2 MB, as the ``file`` of a form that has nothing else."""

    media_type = "text/csv"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        _refuse_charset(media_type)
        limit = settings.CSV_BODY_MAX
        _refuse_length(parser_context, limit)
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise _too_large(limit)
        form = QueryDict(mutable=True)
        file: Any = ContentFile(raw, name="body.csv")
        form["file"] = file
        return form
