"""Import of a sheet of listings: each row is saved, or fails, by itself.

A row is about the listing with its ``id`` or its ``sku``; without either it is a new one. Sending
the same file again lists nothing twice and adds no stock twice, and nothing that a spreadsheet made
of a sku is taken for one: docs/selling.md is the promise.
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
    """Create and change a seller's listings by the rows of a sheet; report on each row.

    A row that fails changes nothing and stops no other from being saved. With ``check`` nothing is
    saved at all. Restocks are safe to repeat: under ``key``, the request's Idempotency-Key, a
    listing is restocked once; without one, it is once for each ``stock_version``; without that
    either, as in files of before it, the same number added to the same stock counts once.
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
    """Imports the rows about one seller's listings, one by one. Two queries to begin with.

    ``by`` is who sends them: the seller, or staff, who may not change where a seller is paid.
    """

    def __init__(
        self, rows: Sequence[SheetRow], *, seller: User, by: User, key: str | None = None
    ) -> None:
        self._read = {row.number: read_row(row) for row in rows}
        self._known = KnownListings(self._read.values(), seller)
        self._seller, self._by, self._key = seller, by, key
        self.seller = seller

    def import_row(self, row: SheetRow, *, check: bool) -> RowReport:
        """Save the row, or only check it, and report on it."""
        read = self._read[row.number]
        return RowImport(row, read, self._known, self._seller, self._by, self._key).save(
            check=check
        )
