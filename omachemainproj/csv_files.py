"""CSV for spreadsheets: opened as UTF-8, no cell runs as a formula, and no text loses a digit.

A spreadsheet takes a text for what it looks like and saves that: 00123 as 123, a barcode as
5.90123E+12, 1-2 as a date. An apostrophe before it keeps it as it is, in all of them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

#: Spreadsheets run cells that begin like this as formulas.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
#: Where a formula would begin inside a cell: in countries that separate cells by semicolons, a
#: spreadsheet splits the file there, and ignores the quotes of a cell that began with a comma.
_HIDDEN_FORMULA = re.compile(r"""([;\t\r\n])(?=["']*[=+\-@＝＋－＠])""")
_GUARDED_FORMULA = re.compile(r"""([;\t\r\n])'(?=["']*[=+\-@＝＋－＠])""")
#: Spreadsheets would change cells like these when saving. No branch backtracks over a long cell,
#: since descriptions are matched too.
_ALTERED = re.compile(
    r"""'*+(?:
        # Numbers, dates and times: what lives is a number of up to eleven digits.
        (?!(?:0|[1-9][0-9]{0,10})\Z) (?=[^0-9]*[0-9])
        (?: [0-9.,:/()%$€£¥-] | (?<=[0-9$€£¥])\s(?=[0-9%€£¥]) )*
      | [.,]? [0-9] [0-9.,]* [ed] [+-]? [0-9]+                              # 12E3
      | (?:kes|kshs?|shs?|usd|eur|gbp|tzs|tsh|ugx|ush) [.]? \s? [0-9][0-9.,]*
      | (?=[^0-9]*[0-9]) [0-9\s,./-]*
        (?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?
          |sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)
        [0-9\s,./-]*                                                        # MAR1
      | [0-9]{1,2} (?: :[0-9]{2}){0,2} \s? [ap]m?                           # 5 pm
      | true | false | wahr | falsch | vrai | faux | verdadero | verdadeiro | falso | vero | waar
      | onwaar
    )""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)


def is_altered(text: str) -> bool:
    """Whether a spreadsheet would run or change this text."""
    return bool(_FORMULA.match(text) or _ALTERED.fullmatch(text))


def guard(value: Any) -> Any:
    """The value, with an apostrophe before it if a spreadsheet would run or change it.

    Also with one after each semicolon, tab or line break where a formula would begin.
    """
    if not isinstance(value, str):
        return value
    guarded = _HIDDEN_FORMULA.sub(r"\1'", value)
    return f"'{guarded}" if is_altered(value) else guarded


def unguard(cell: str) -> str:
    """The text that ``guard`` was given."""
    text = _GUARDED_FORMULA.sub(r"\1", cell)
    return text[1:] if is_literal(cell) else text


def is_literal(cell: str) -> bool:
    """Whether the cell begins with the apostrophe of ``guard``."""
    return cell.startswith("'") and is_altered(_GUARDED_FORMULA.sub(r"\1", cell))


def write_sheet(
    header: Sequence[str],
    batches: Iterable[Iterable[Sequence[Any]]],
    *,
    as_they_are: Collection[str] = (),
) -> Iterator[str]:
    """Yield the file in pieces, one per batch of rows.

    The columns ``as_they_are`` get no apostrophe: they are read back in any form.
    """
    # Without a byte order mark Excel does not read UTF-8, and garbles every “Ngũgĩ”.
    yield "\ufeff" + _write([header])
    left = [name in as_they_are for name in header]
    for batch in batches:
        yield _write([_guarded(row, left) for row in batch])


def _guarded(row: Sequence[Any], left: Sequence[bool]) -> list[Any]:
    return [value if leave else guard(value) for value, leave in zip(row, left, strict=False)]


def _write(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
