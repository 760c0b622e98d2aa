"""Export of a seller's listings as the rows of a sheet, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from products.models import Newest, ProductQuerySet

BATCH = 500
#: The fields of a row, in the order of products.spreadsheets.csv_format.COLUMNS.
_FIELDS = (
    "id",
    "sku",
    "name",
    "description",
    "category",
    "price",
    "item_number",
    "payment_mpesa_number",
    "listed",
)


def batches(products: ProductQuerySet) -> Iterator[list[Sequence[Any]]]:
    """The products' rows, newest first, in lists of ``BATCH``. One query per batch; no cursor."""
    rows: QuerySet[Any] = products.with_stock_version().annotate(newest=Newest())
    rows = rows.order_by("newest").values_list(*_FIELDS, "stock_version", "newest", named=True)
    batch: list[Any] = list(rows[:BATCH])
    while batch:
        yield [_cells(row) for row in batch]
        batch = list(rows.filter(newest__gt=batch[-1].newest)[:BATCH])


def _cells(row: Any) -> Sequence[Any]:
    # Spreadsheets turn twelve digits into 2.54713E+11; from ten they only drop the leading 0.
    number = f"0{row.payment_mpesa_number[3:]}"
    listed = "true" if row.listed else "false"
    return [*row[:7], number, listed, "", row.stock_version]
