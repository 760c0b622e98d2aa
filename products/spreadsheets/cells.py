"""Reading cells that a spreadsheet has changed, where the meaning is unambiguous.

Handles numbers with separators and currency, yes and no in several languages, and phone numbers
without their leading zero. Shortened values, such as a barcode that became 5.90123E+12, cannot be
recovered and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from omachemainproj.csv_files import is_altered
from omachemainproj.phones import normalise_phone
from products.models import Category

from .csv_format import SheetRow

#: Messages for the uploader, by column.
Messages = dict[str, list[str]]

_WORDS = {
    "true": "true yes y ndiyo ndio kweli wahr ja vrai oui verdadero verdadeiro vero waar",
    "false": "false no n hapana uongo falsch nein faux non falso onwaar",
}
_MEANT = {word: value for value, words in _WORDS.items() for word in words.split()}
#: Longer cells are neither numbers, words nor dates.
_LONGEST = 60
#: ``="00123"``: a common trick to keep a spreadsheet from changing a text.
_FORMULA_TEXT = re.compile(r'="([^"]*)"')
#: Columns of free text, which are taken literally.
_PROSE = frozenset({"name", "description"})

_BEFORE_MONEY = re.compile(
    r"(?:kes|kshs?|shs?)\b\.?\s*|(?:kes|kshs?|shs?)\.?(?=[0-9])", re.IGNORECASE
)
_AFTER_MONEY = re.compile(r"\s*(?:(?:kes|kshs?|shs?)\.?|/[=-])\Z", re.IGNORECASE)
_PLAIN = re.compile(r"-?[0-9]+")
_POINT_ZERO = re.compile(r"(-?[0-9]+)[.,]0{1,2}")
#: Groups of three after a comma, a space or an apostrophe: unambiguously thousands.
_GROUPS = re.compile(
    r"(-?[1-9][0-9]{0,2}(?:(?P<by>[,'’ \u00a0\u2009\u202f])[0-9]{3})(?:(?P=by)[0-9]{3})*)"
    r"(?P<cents>[.,]0{1,2})?"
)
#: Groups after a point: unambiguous only with several groups or with a decimal comma.
_POINT_GROUPS = re.compile(
    r"(-?[1-9][0-9]{0,2}(?:\.[0-9]{3})+),0{1,2}|(-?[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,})"
)
_POINT_OR_GROUP = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}")
_POWER = re.compile(r"-?[0-9]+(?:[.,][0-9]*)?[eE][+-]?[0-9]+")

#: A long number in a spreadsheet's scientific notation, with a sign or a fraction, which a seller's
#: own code does not have.
_CUT_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]*[eE][+-]?|[eE][+-])[0-9]+")
#: A spreadsheet keeps fifteen digits and replaces the rest with zeros.
_CUT_DIGITS = re.compile(r"[1-9][0-9]{14}0+")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_MADE_DATE = re.compile(
    rf"[0-9]{{1,2}}-{_MONTH}(?:-[0-9]{{2,4}})?|{_MONTH}-[0-9]{{2}}", re.IGNORECASE
)
_DATE = re.compile(rf"(?=[^0-9]*[0-9])(?:[0-9]|[-/.: ]|{_MONTH}[a-z]*+)+", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?(?:[eE]\+?[0-9]{1,3})?")


@dataclass(slots=True)
class ReadRow:
    """The cells of a row as read, with a note for each that was written differently."""

    cells: dict[str, str]
    #: The columns whose texts are known to be unchanged, and are taken literally.
    literal: frozenset[str]
    notes: Messages = field(default_factory=dict)
    #: Cells that are shortened or ambiguous.
    errors: Messages = field(default_factory=dict)


class Unclear(ValueError):
    """The cell is shortened or ambiguous. The message is for the uploader."""


def read_row(row: SheetRow) -> ReadRow:
    """Read every cell of a row. Never raises."""
    read = ReadRow({}, row.literal)
    for name, cell in row.cells.items():
        typed = cell.strip()
        written = _FORMULA_TEXT.fullmatch(typed)
        if written and name not in _PROSE | row.literal:
            typed = written[1].strip()
            read.literal |= {name}
        read.cells[name] = typed
        reader = _READERS.get(name)
        if reader is None or not 0 < len(typed) <= _LONGEST:
            continue
        try:
            value = reader(typed)
        except Unclear as unclear:
            read.errors[name] = [str(unclear)]
            continue
        read.cells[name] = value
        if value.casefold() != typed.lstrip("'").casefold():
            read.notes[name] = [f"“{_shortened(typed)}” was read as {value}."]
    return read


def looks_truncated(text: str) -> bool:
    """Whether a spreadsheet may have made this of a longer number, a date or a boolean."""
    return bool(
        _CUT_NUMBER.fullmatch(text)
        or _CUT_DIGITS.fullmatch(text)
        or _MADE_DATE.fullmatch(text)
        or text in {"TRUE", "FALSE"}
    )


def number_in(text: str) -> Decimal | None:
    """The number that a spreadsheet would read in a text; None if it reads none."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def may_be_changed_from(seen: str, stored: str) -> bool:
    """Whether a spreadsheet may have changed the text ``stored`` to ``seen``."""
    if seen == stored or len(seen) > _LONGEST or not is_altered(stored):
        return False
    if looks_truncated(seen) or seen.casefold() == stored.casefold():
        return True
    number = number_in(seen)
    if number is not None and number == number_in(stored):
        return True
    dates = bool(_DATE.fullmatch(seen) and _DATE.fullmatch(stored))
    return dates and number is None and _character_classes(seen) != _character_classes(stored)


def _character_classes(text: str) -> str:
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"[0-9]+", "9", text))


def _whole(typed: str) -> str:
    text = typed.lstrip("'").replace("\u2212", "-").removeprefix("+")
    if _PLAIN.fullmatch(text):
        return text
    if _POWER.fullmatch(text):
        raise Unclear(
            f"A spreadsheet shortened this to “{_shortened(typed)}”. Write the number in full."
        )
    if match := _POINT_ZERO.fullmatch(text):
        return match[1]
    match = _GROUPS.fullmatch(text)
    if match and not (match["by"] == "," and (match["cents"] or "").startswith(",")):
        return re.sub(r"[^0-9-]", "", match[1])
    if match := _POINT_GROUPS.fullmatch(text):
        return (match[1] or match[2]).replace(".", "")
    if _POINT_OR_GROUP.fullmatch(text):
        joined = text.replace(".", "")
        raise Unclear(
            f"“{_shortened(typed)}” could be {joined} or a decimal number. Write {joined}."
        )
    return typed


def _price(typed: str) -> str:
    text = typed.lstrip("'")
    before = _BEFORE_MONEY.match(text)
    value = _whole(_AFTER_MONEY.sub("", text[before.end() :] if before else text))
    # If it is no number even without its currency, errors quote it as typed.
    return value if _PLAIN.fullmatch(value) else typed


def _phone(typed: str) -> str:
    text = typed.lstrip("'")
    if _POWER.fullmatch(text):
        raise Unclear(
            f"A spreadsheet shortened this number to “{_shortened(typed)}”."
            " Write it like 0712345678."
        )
    text = re.sub(r"\.0{1,2}\Z", "", text)
    if re.fullmatch(r"\+?[0-9]{1,3}(?:,[0-9]{3})+", text):
        text = text.replace(",", "")
    try:
        number = normalise_phone(text)
    except ValueError:
        return typed
    return typed if text == typed and text[:1] != "7" and text[:1] != "1" else f"0{number[3:]}"


def _listed(typed: str) -> str:
    return _MEANT.get(typed.casefold(), typed)


def _category(typed: str) -> str:
    word = typed.casefold()
    return word if word in {*Category.values, "phonestablet"} else typed


def _shortened(typed: str) -> str:
    return typed if len(typed) <= 40 else f"{typed[:39]}…"


_READERS: dict[str, Callable[[str], str]] = {
    "id": _whole,
    "price": _price,
    "item_number": _whole,
    "restock": _whole,
    "stock_version": _whole,
    "payment_mpesa_number": _phone,
    "listed": _listed,
    "category": _category,
}
