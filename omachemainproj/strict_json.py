"""Strict JSON, which any two careful parsers read the same, for untrusted input.

Python's parser accepts more than JSON: the last of two equal keys, NaN, numbers beyond any size,
half of a surrogate pair. Each of these lets a body mean one thing here and another elsewhere, or
breaks later, in the database. They are refused. Knows nothing of Django, so that the clients of
gateways stay free of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal, DecimalException
from enum import Enum, auto
from typing import Any, NoReturn

MAX_DEPTH = 20
#: Of a whole number without its sign; of any other number, its characters.
MAX_DIGITS = 30


class Fault(Enum):
    """The rule a body violates. Callers may use their own messages."""

    TOO_LONG = auto()
    NOT_UTF8 = auto()
    NOT_JSON = auto()
    DUPLICATE_KEY = auto()
    NOT_A_NUMBER = auto()
    LONG_INTEGER = auto()
    LONG_FRACTION = auto()
    OUT_OF_RANGE = auto()
    TOO_DEEP = auto()
    NUL = auto()
    HALF_A_CHARACTER = auto()


_SENTENCES = {
    Fault.TOO_LONG: "The body is longer than {detail} kB.",
    Fault.NOT_UTF8: "The body is not UTF-8.",
    Fault.NOT_JSON: "The body is not JSON.",
    Fault.DUPLICATE_KEY: "The same key is given twice.",
    Fault.NOT_A_NUMBER: "{detail} is not a number.",
    Fault.LONG_INTEGER: "A number is too long.",
    Fault.LONG_FRACTION: "A number is too long.",
    Fault.OUT_OF_RANGE: "A number is too large or too small.",
    Fault.TOO_DEEP: "The body is nested too deeply.",
    Fault.NUL: "A text holds a NUL character.",
    Fault.HALF_A_CHARACTER: "A text holds half of a surrogate pair.",
}


class NotStrictJson(ValueError):
    """The bytes are not acceptable JSON. Its text is a sentence with the reason.

    ``detail`` is the invalid number, the limit in kB, or the parser's message.
    """

    def __init__(self, fault: Fault, detail: str = "") -> None:
        self.fault, self.detail = fault, detail
        super().__init__(_SENTENCES[fault].format(detail=detail))


def read_json(
    body: bytes | memoryview,
    *,
    at_most: int | None = None,
    fractions: type[Decimal] | type[float] = Decimal,
) -> Any:
    """Read UTF-8 JSON of at most ``at_most`` bytes, nested at most 20 levels deep.

    Numbers with a point or an exponent become Decimal, so that nothing is rounded, or float where
    the caller says so. Raises NotStrictJson, and nothing else, for any bytes.
    """
    if at_most is not None and len(body) > at_most:
        raise NotStrictJson(Fault.TOO_LONG, str(at_most // 1024))
    try:
        document = json.loads(
            str(body, "utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=lambda text: _fraction(text, fractions),
            parse_constant=_refuse_constant,
        )
    except NotStrictJson:
        raise
    except UnicodeDecodeError as error:
        raise NotStrictJson(Fault.NOT_UTF8) from error
    except RecursionError as error:
        raise NotStrictJson(Fault.TOO_DEEP) from error
    except ValueError as error:
        raise NotStrictJson(Fault.NOT_JSON, str(error)) from error
    _refuse_unstorable(document)
    return document


class Refused(Enum):
    """Replaces ambiguous values in a lenient reading; never treated as a value."""

    REFUSED = auto()


def read_json_leniently(body: bytes | memoryview, *, at_most: int | None = None) -> Any:
    """Read JSON leniently, so that the caller can use the valid parts.

    For messages that are only sent once: the amount must not be lost because a name or date is
    invalid. Bytes that are not UTF-8 become U+FFFD. ``Refused`` replaces the value of a repeated
    key, NaN, infinities and numbers that are too long. Texts may contain NUL, halves of surrogate
    pairs and control characters: the caller must remove them before storing. Depth is not limited.

    Raises NotStrictJson if the body is not JSON, or longer than ``at_most`` bytes.
    """
    if at_most is not None and len(body) > at_most:
        raise NotStrictJson(Fault.TOO_LONG, str(at_most // 1024))
    try:
        return json.loads(
            str(body, "utf-8", "replace").removeprefix("\ufeff"),
            strict=False,
            object_pairs_hook=_object_leniently,
            parse_int=lambda text: _or_refused(_integer, text),
            parse_float=lambda text: _or_refused(_decimal, text),
            parse_constant=lambda name: Refused.REFUSED,
        )
    except RecursionError as error:
        raise NotStrictJson(Fault.TOO_DEEP) from error
    except ValueError as error:
        raise NotStrictJson(Fault.NOT_JSON, str(error)) from error


def _object_leniently(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        members[name] = Refused.REFUSED if name in members else value
    return members


def _decimal(text: str) -> Decimal | float:
    return _fraction(text, Decimal)


def _or_refused(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except NotStrictJson:
        return Refused.REFUSED


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson(Fault.DUPLICATE_KEY)
    return members


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise NotStrictJson(Fault.LONG_INTEGER)
    return int(text)


def _fraction(text: str, kind: type[Decimal] | type[float]) -> Decimal | float:
    if len(text) > MAX_DIGITS:
        raise NotStrictJson(Fault.LONG_FRACTION)
    try:
        number = kind(text)
    except DecimalException as error:  # an exponent that even Decimal cannot hold
        raise NotStrictJson(Fault.OUT_OF_RANGE) from error
    if math.isinf(float(text)):
        raise NotStrictJson(Fault.OUT_OF_RANGE)
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise NotStrictJson(Fault.NOT_A_NUMBER, name)


def _refuse_unstorable(document: Any) -> None:
    """Raise NotStrictJson for a document that is nested too deeply, or has a key or text that the
    database cannot store. A loop, not a recursion, because every posted body passes here."""
    level, depth = [document], 0
    while level:
        depth += 1
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _refuse_unstorable_text(value)
            elif isinstance(value, dict | list):
                if depth > MAX_DEPTH:
                    raise NotStrictJson(Fault.TOO_DEEP)
                below += value
                if isinstance(value, dict):
                    below += value.values()
        level = below


def _refuse_unstorable_text(text: str) -> None:
    if "\0" in text:
        raise NotStrictJson(Fault.NUL)
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise NotStrictJson(Fault.HALF_A_CHARACTER)
