"""Import of a sheet of listings. Each row is saved, or fails, on its own.

A row is for the listing with its ``id`` or ``sku``; without either it is a new listing. Sending a
file again lists nothing twice and adds no stock twice, and a sku that a spreadsheet has changed is
not accepted as one. docs/selling.md describes this for sellers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from accounts.models import User

from .cells import read_row
from .csv_format import SheetRow
from .known_listings import KnownListings
from .row_import import RowImport
from .row_reports import STATUSES, RowReport


def import_sheet(
    rows: Sequence[SheetRow], *, seller: User, check: bool = False, key: str | None = None
) -> dict[str, Any]:
    """Create and change a seller's listings from the rows of a sheet, and report on each row.

    A row that fails changes nothing, and the others are still saved. With ``check`` nothing is
    saved. Restocks are safe to repeat: a listing is restocked once per ``key`` (the request's
    Idempotency-Key); without a key, once per ``stock_version``; and in a file without that column,
    the same number added to the same stock counts once.
    """
    importing = SheetImport(rows, seller=seller, by=seller, key=key)
    reports = [importing.import_row(row, check=check) for row in rows]
    counted = Counter(report.status for report in reports)
    return {
        "check": check,
        "rows": [asdict(report) for report in reports],
        "totals": {status: counted[status] for status in STATUSES},
    }


class SheetImport:
    """Imports the rows for one seller's listings, one at a time. Starts with two queries.

    ``by`` is the uploader: the seller, or staff, who may not change where a seller is paid.
    """

    def __init__(
        self, rows: Sequence[SheetRow], *, seller: User, by: User, key: str | None = None
    ) -> None:
        self._read = {row.number: read_row(row) for row in rows}
        self._known = KnownListings(self._read.values(), seller)
        self._seller, self._by, self._key = seller, by, key
        self.seller = seller

    def import_row(self, row: SheetRow, *, check: bool) -> RowReport:
        """Save the row, or only check it, and report the outcome."""
        read = self._read[row.number]
        return RowImport(row, read, self._known, self._seller, self._by, self._key).save(
            check=check
        )
