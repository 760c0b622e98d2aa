"""The CSV format of listings, and its reader.

It accepts what spreadsheets produce: a byte order mark, UTF-16 with one, semicolons or tabs instead
of commas, empty rows and columns, and the apostrophe that protects a text. Changed cells are read
by products.spreadsheets.cells.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from omachemainproj.csv_files import is_literal, unguard
from omachemainproj.text import fold_for_matching

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 1000
#: The columns a file may have. All except ``id``, ``restock`` and ``stock_version`` are fields of
#: POST /create/. The last changes with every change of the stock (``with_stock_version``).
COLUMNS = (
    "id",
    "sku",
    "name",
    "description",
    "category",
    "price",
    "item_number",
    "payment_mpesa_number",
    "listed",
    "restock",
    "stock_version",
)
#: Exported without an apostrophe, because the import can read what a spreadsheet makes of them.
READ_BACK = frozenset({"payment_mpesa_number", "listed"})
#: The columns a new listing needs.
NEEDED = ("name", "category", "price", "item_number", "payment_mpesa_number")

_DELIMITERS = ",;\t"
#: The most cells the first row may have, without empty ones at its end: several times as many as
#: there are columns.
_HEADER_CELLS = 100
#: How workbooks begin: .xlsx and .ods are ZIP files, .xls an OLE file.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: Excel's separator line, which it does not count as a row.
_SEPARATOR = re.compile(r"\"?sep=([,;\t])\"?\r?\n", re.IGNORECASE)


class BadSheet(ValueError):
    """The file as a whole cannot be read. The message is for the uploader."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row, by column name. Numbered as in a spreadsheet: the header is row 1."""

    number: int
    cells: dict[str, str]
    #: An error of the row as a whole; empty if there is none.
    fault: str = ""
    #: The columns whose cell begins with an apostrophe, so no spreadsheet has changed it.
    literal: frozenset[str] = frozenset()


def read_sheet(raw: bytes, *, columns: Sequence[str] = COLUMNS) -> list[SheetRow]:
    """The non-empty rows of an uploaded file. Raises BadSheet."""
    text = _decode(raw)
    separator = _SEPARATOR.match(text)
    if separator:
        text = text[separator.end() :]
    first = text.split("\n", 1)[0]
    delimiter = separator[1] if separator else max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[SheetRow] = []
    try:
        header = _read_header(next(reader, []), columns)
        for number, cells in enumerate(reader, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == MAX_ROWS:
                raise BadSheet(f"The file has more than {MAX_ROWS:,} rows. Send it in parts.")
            rows.append(_read_row(number, header, cells))
    except csv.Error as error:
        raise BadSheet(f"Line {reader.line_num} is not CSV: {error}.") from error
    if not rows:
        raise BadSheet("The file has no rows below its header.")
    return rows


def _decode(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise BadSheet(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
    if raw.startswith(_WORKBOOKS):
        raise BadSheet("This is a workbook, not CSV. In Excel, save it as “CSV UTF-8”.")
    # Excel's “Unicode Text” is UTF-16 with a byte order mark, without which nothing identifies it.
    marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = raw.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        message = "The file is not UTF-8. In Excel, save it as “CSV UTF-8”."
        raise BadSheet(message) from None
    if "\x00" in text:
        raise BadSheet("The file contains the character NUL: it is not CSV in UTF-8.")
    return text


def _read_header(cells: Sequence[str], columns: Sequence[str]) -> list[str]:
    used = len(cells)
    while used and not cells[used - 1].strip():
        used -= 1
    if used > _HEADER_CELLS:
        raise BadSheet(f"The first row has {used:,} cells. Choose from: {', '.join(columns)}.")
    names = [fold_for_matching(cell) for cell in cells[:used]]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise BadSheet(f"The first row must name the columns: {', '.join(columns)}.")
    unknown = [name for name in names if name not in columns]
    if unknown:
        shown = ", ".join(repr(name[:40]) for name in unknown[:5])
        raise BadSheet(f"There is no column {shown}. Choose from: {', '.join(columns)}.")
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise BadSheet(f"The file has the column {', '.join(twice)} twice.")
    missing = [name for name in NEEDED if name not in names]
    if missing and not {"id", "sku"} & set(names):
        raise BadSheet(
            f"The columns {', '.join(missing)} are missing."
            " (To change existing listings, id or sku is enough.)"
        )
    return names


def _read_row(number: int, header: list[str], cells: Sequence[str]) -> SheetRow:
    fault = ""
    if any(cell.strip() for cell in cells[len(header) :]):
        fault = (
            f"This row has {len(cells)} cells but the header has {len(header)}. Put text that"
            " contains commas in double quotes."
        )
    sent = dict(zip(header, cells, strict=False))
    texts = {name: unguard(cell) for name, cell in sent.items()}
    literal = frozenset(name for name, cell in sent.items() if is_literal(cell))
    return SheetRow(number, texts, fault, literal)
