"""JSON as two careful parsers would both read it.

Python's parser accepts more than JSON: the last of two equal keys, NaN, numbers beyond any size,
half of a surrogate pair. Each of these lets a body mean one thing here and another elsewhere, or
breaks later, in the database. They are refused at the door.
"""

import json
import math
from collections.abc import Iterator
from decimal import Decimal, DecimalException
from typing import Any, NoReturn

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20
MAX_NUMBER_LENGTH = 30


class NotStrictJson(ValueError):
    """The bytes are not JSON that we accept. Its text is a plain sentence that says why."""


def read_json(body: bytes | memoryview, *, at_most: int = MAX_BYTES) -> Any:
    """Read UTF-8 JSON of at most so many bytes.

    Numbers with a point or an exponent become Decimal, so nothing is rounded.

    Raises NotStrictJson, and nothing else, for any bytes.
    """
    if len(body) > at_most:
        raise NotStrictJson(f"The body is longer than {at_most // 1024} kB.")
    try:
        document = json.loads(
            str(body, "utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_refuse_constant,
        )
    except NotStrictJson:
        raise
    except UnicodeDecodeError as error:
        raise NotStrictJson("The body is not UTF-8.") from error
    except RecursionError as error:
        raise NotStrictJson("The body is nested too deeply.") from error
    except ValueError as error:
        raise NotStrictJson("The body is not JSON.") from error
    for text in _texts(document):
        _refuse_unstorable(text)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrictJson("The same key is given twice.")
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise NotStrictJson("A number is too long.")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_LENGTH:
        raise NotStrictJson("A number is too long.")
    try:
        number = Decimal(text)
    except DecimalException as error:  # an exponent that even Decimal cannot hold
        raise NotStrictJson("A number is too large or too small.") from error
    if math.isinf(float(text)):
        raise NotStrictJson("A number is too large or too small.")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise NotStrictJson(f"{name} is not a number.")


def _texts(document: Any) -> Iterator[str]:
    """Every key and text in the document. Raises NotStrictJson when it is nested too deeply."""
    waiting = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                raise NotStrictJson("The body is nested too deeply.")
            if isinstance(value, dict):
                yield from value
                value = value.values()
            waiting.extend((each, depth + 1) for each in value)


def _refuse_unstorable(text: str) -> None:
    if "\0" in text:
        raise NotStrictJson("A text holds a NUL character.")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise NotStrictJson("A text holds half of a surrogate pair.")
