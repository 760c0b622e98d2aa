"""Sheets of products in the admin: the columns of sellers' sheets, and one for the seller.

django-import-export provides the pages, the preview and the confirmation. Rows are checked and
saved by products.spreadsheets.importer; files are read by products.spreadsheets.csv_format.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import tablib
from django.core.exceptions import ValidationError
from django.db import transaction
from import_export.fields import Field
from import_export.formats.base_formats import CSV
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.results import RowResult
from import_export.tmp_storages import BaseStorage

from accounts.backoffice import audit
from accounts.backoffice.conflicts import (
    ConflictOfInterest,
    Parties,
    find_parties,
    is_party,
    log_refusal,
    own_numbers,
    people,
    phones,
)
from accounts.models import User
from accounts.validators import normalise_username
from omachemainproj.caches import TableCache
from omachemainproj.csv_files import write_sheet
from products.models import Product

from .csv_format import COLUMNS, READ_BACK, BadSheet, SheetRow, read_sheet
from .importer import SheetImport
from .row_reports import CREATED, FAILED, UNCHANGED, UPDATED, RowReport

STAFF_COLUMNS = ("seller", *COLUMNS)
_TYPES = {
    CREATED: RowResult.IMPORT_TYPE_NEW,
    UPDATED: RowResult.IMPORT_TYPE_UPDATE,
    UNCHANGED: RowResult.IMPORT_TYPE_SKIP,
    FAILED: RowResult.IMPORT_TYPE_INVALID,
}


class Sheet(tablib.Dataset):
    """The rows of a file, including their numbers and errors."""

    rows: Sequence[SheetRow] = ()


class SheetFormat(CSV):
    """The shop's own CSV format, which tolerates changes by spreadsheets."""

    def is_binary(self) -> bool:
        """True, because csv_format decodes the bytes itself."""
        return True

    def create_dataset(self, in_stream: bytes | None, **kwargs: Any) -> Sheet:
        """Read a file. Raises BadSheet."""
        if in_stream is None:
            raise BadSheet("The file has expired. Upload it again.")
        rows = read_sheet(in_stream, columns=STAFF_COLUMNS)
        cells = [[row.cells.get(name, "") for name in STAFF_COLUMNS] for row in rows]
        sheet = Sheet(*cells, headers=STAFF_COLUMNS)
        sheet.rows = rows
        return sheet

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        """Write a file whose cells a spreadsheet neither runs as formulas nor changes."""
        pieces = write_sheet(dataset.headers, [list(dataset)], as_they_are=READ_BACK)
        return "".join(pieces).encode()


class SheetStorage(BaseStorage):
    """Keeps an uploaded file from its preview to its confirmation, for at most an hour.

    Kept in the database, because another process may serve the confirmation.
    """

    LIFETIME = 3600
    name: str | None

    def save(self, data: bytes) -> None:
        """Store the file's bytes under a random name."""
        self.name = self.name or uuid4().hex
        self._cache.set(self._key, b64encode(data).decode(), self.LIFETIME)

    def read(self) -> bytes | None:
        """The file's bytes, or None if it has expired."""
        stored = self._cache.get(self._key)
        return None if stored is None else b64decode(stored)

    def remove(self) -> None:
        """Delete the file. Safe to repeat."""
        self._cache.delete(self._key)

    @property
    def _key(self) -> str:
        return f"sheet:{self.name}"

    @property
    def _cache(self) -> TableCache:
        return TableCache("", {})


class ProductResource(Resource):
    """Products as the rows of a sheet. Each row is saved, or fails, on its own."""

    seller = Field(attribute="seller__username", column_name="seller")
    id = Field(attribute="pk", column_name="id")
    sku = Field(attribute="sku", column_name="sku")
    name = Field(attribute="name", column_name="name")
    description = Field(attribute="description", column_name="description")
    category = Field(attribute="category", column_name="category")
    price = Field(attribute="price", column_name="price")
    item_number = Field(attribute="item_number", column_name="item_number")
    payment_mpesa_number = Field(column_name="payment_mpesa_number")
    listed = Field(column_name="listed")
    restock = Field(column_name="restock")
    stock_version = Field(attribute="stock_version", column_name="stock_version")

    class Meta:
        import_id_fields = ()
        # No look-up here: products.spreadsheets.importer finds the listing of a row.
        instance_loader_class = BaseInstanceLoader
        import_order = export_order = STAFF_COLUMNS
        # A saved row stays saved if a later one fails; a preview saves nothing.
        use_transactions = False
        report_skipped = True

    @classmethod
    def get_display_name(cls) -> str:
        """The name on the pages."""
        return "products"

    def dehydrate_payment_mpesa_number(self, product: Product) -> str:
        """The number as ten digits, because spreadsheets turn twelve into 2.54713E+11."""
        return f"0{product.payment_mpesa_number[3:]}"

    def dehydrate_listed(self, product: Product) -> str:
        return "true" if product.listed else "false"

    def dehydrate_restock(self, product: Product) -> str:
        return ""

    def get_diff_headers(self) -> list[str]:
        return [*STAFF_COLUMNS, "notes"]

    def before_import(self, dataset: Sheet, **kwargs: Any) -> None:
        """Look up the sellers and their listings: one query, plus two per seller."""
        self._rows = dataset.rows
        self._numbers = own_numbers(kwargs["user"])
        of_seller: dict[str, list[SheetRow]] = defaultdict(list)
        for row in dataset.rows:
            of_seller[_seller_of(row)].append(row)
        sellers = User.objects.filter(username__in=of_seller, is_active=True)
        self._imports = {
            seller.username: SheetImport(
                of_seller[seller.username], seller=seller, by=kwargs["user"]
            )
            for seller in sellers
        }

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> RowResult:
        """Save or check a row, by the rules of sellers' own sheets."""
        sheet_row: SheetRow = self._rows[kwargs["row_number"] - 1]
        report = self._import(sheet_row, check=kwargs["dry_run"], **kwargs)
        result = RowResult()
        result.import_type = _TYPES[report.status]
        notes = " ".join(text for texts in report.notes.values() for text in texts)
        result.diff = [*row.values(), notes]
        result.object_id = report.id
        if report.errors:
            result.validation_error = ValidationError(dict(report.errors))
        return result

    def _is_own(self, user: User, seller: User, row: SheetRow, product_id: int | None) -> bool:
        """Whether a row is for a product whose seller, or payee before or after it, is ``user``."""
        typed = phones([row.cells.get("payment_mpesa_number", "")])
        parties = Parties(people(seller.pk), typed)
        product = Product.objects.filter(pk=product_id).first() if product_id else None
        if product is not None:
            parties |= find_parties(product)
        return is_party(user, parties, numbers=self._numbers)

    def _import(self, row: SheetRow, *, check: bool, user: User, **kwargs: Any) -> RowReport:
        importing = self._imports.get(_seller_of(row))
        if importing is None:
            errors = {"seller": ["No user has this name, or their account is closed."]}
            return RowReport(row.number, FAILED, errors=errors)
        checked = importing.import_row(row, check=True)
        if self._is_own(user, importing.seller, row, checked.id):
            if not check:
                log_refusal(user, f"Import of row {row.number}", Product(pk=checked.id))
            return RowReport(row.number, FAILED, errors={"seller": [ConflictOfInterest.message]})
        if check or checked.status not in {CREATED, UPDATED}:
            return checked
        with transaction.atomic():
            before = audit.values_of(Product(pk=checked.id))
            report = importing.import_row(row, check=False)
            if report.id is not None and report.status in {CREATED, UPDATED}:
                product = Product.objects.get(pk=report.id)
                changes = audit.difference(before, audit.values_of(product))
                audit.log(
                    user,
                    f"Imported: {report.status}",
                    product,
                    action=audit.IMPORTED,
                    changes=changes,
                )
        return report


def _seller_of(row: SheetRow) -> str:
    return normalise_username(row.cells.get("seller", ""))
