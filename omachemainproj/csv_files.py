"""CSV for spreadsheets: opened as UTF-8, and with no cell that runs as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

#: A spreadsheet runs a cell that begins so; an apostrophe before it marks it as text.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def guard(value: Any) -> Any:
    """The value, with an apostrophe before it where a spreadsheet would run it as a formula."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def write_sheet(header: Sequence[str], batches: Iterable[Iterable[Sequence[Any]]]) -> Iterator[str]:
    """The file piece by piece, one for each batch of rows."""
    # Without the byte order mark Excel does not read UTF-8, and every “Ngũgĩ” is garbled.
    yield "\ufeff" + _write([header])
    for batch in batches:
        yield _write([guard(value) for value in row] for row in batch)


def _write(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
