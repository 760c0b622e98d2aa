"""Files for spreadsheets: CSV that opens as it was meant, and runs nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

#: A spreadsheet runs a cell that begins so; an apostrophe before it says that it is text.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def guard(value: Any) -> Any:
    """The value as a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def write_sheet(header: Sequence[str], batches: Iterable[Iterable[Sequence[Any]]]) -> Iterator[str]:
    """The file piece by piece, one for each batch of rows."""
    # Without the mark Excel takes UTF-8 for something else, and every “Ngũgĩ” is spoilt.
    yield "\ufeff" + _write([header])
    for batch in batches:
        yield _write([guard(value) for value in row] for row in batch)


def _write(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
