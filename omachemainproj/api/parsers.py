"""Reading bodies strictly: what two parsers could understand differently is refused.

The limits are those of docs/limits.md. DRF's own JSON parser answers 500 to deep nesting, reads
1e400 as infinity and lets duplicate keys shadow each other.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser, MultiPartParser

MAX_DEPTH = 20
MAX_DIGITS = 30
_LENGTH = re.compile(r"[0-9]{1,18}")


class BodyTooLarge(APIException):
    """The body is longer than this endpoint reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


def load_strict_json(raw: bytes) -> Any:
    """Return what the JSON says, when it can be read in one way only.

    Raises ValueError, with a sentence for the sender, for: bytes that are not UTF-8, duplicate
    keys, NaN and infinities, numbers over 30 digits, nesting over 20 levels, NUL and lone
    surrogates in texts.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_short_int,
            parse_float=_finite_float,
        )
    except UnicodeDecodeError:
        raise ValueError("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise ValueError(f"The JSON is nested deeper than {MAX_DEPTH} levels.") from None
    _check_tree(value)
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("The JSON has the same key twice in one object.")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON.")


def _short_int(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise ValueError(f"A number has more than {MAX_DIGITS} digits.")
    return int(digits)


def _finite_float(digits: str) -> float:
    number = float(digits)
    if len(digits) > MAX_DIGITS or not math.isfinite(number):
        raise ValueError(f"A number is infinite or has more than {MAX_DIGITS} digits.")
    return number


def _check_tree(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = below
    raise ValueError(f"The JSON is nested deeper than {MAX_DEPTH} levels.")


def _check_text(text: str) -> None:
    if text.isascii():
        if "\x00" in text:
            raise ValueError("A text contains the character NUL.")
        return
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("A text contains NUL or half a character.")


def _refuse_charset(media_type: str | None) -> None:
    for part in (media_type or "").split(";")[1:]:
        name, _, value = part.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType(media_type or "", detail="Send UTF-8.", code="charset")


def _refuse_length(parser_context: Mapping[str, Any] | None, limit: int) -> None:
    request = (parser_context or {}).get("request")
    length = str(request.META.get("CONTENT_LENGTH") or "0") if request is not None else "0"
    if not _LENGTH.fullmatch(length):
        raise ParseError("Content-Length is not a number.")
    if int(length) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit // 1024} kB.")


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
        limit = settings.JSON_BODY_MAX
        _refuse_length(parser_context, limit)
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise _too_large(limit)
        try:
            return load_strict_json(raw)
        except ValueError as error:
            raise ParseError(str(error)) from error


class StrictMultiPartParser(MultiPartParser):
    """``multipart/form-data``, at most 6 MB all told; fields and files are counted by Django."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        _refuse_charset(media_type)
        _refuse_length(parser_context, settings.MULTIPART_BODY_MAX)
        return super().parse(stream, media_type, parser_context)


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
