"""Import of one row of a sheet: finds its listing, checks the row and saves it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

from django.db import OperationalError, transaction
from django.http import QueryDict

from accounts.models import User
from omachemainproj.api.errors import FieldRefusal
from omachemainproj.locking import lock_row
from omachemainproj.text import clean_shown, fold_identifier, tidy_line
from products.listings.serializers import EditProductInput
from products.listings.services import create_product, edit_product
from products.models import Product

from .cells import ReadRow, looks_truncated, may_be_changed_from, number_in
from .csv_format import SheetRow
from .known_listings import ID, KnownListings
from .row_reports import CREATED, FAILED, UNCHANGED, UPDATED, Errors, RowFailed, RowReport
from .row_restock import ADDED_BEFORE, RowRestock
from .serializers import NewRowInput

logger = logging.getLogger(__name__)

#: The columns that change an existing listing.
_CHANGED_BY_A_ROW = (
    "name",
    "description",
    "category",
    "price",
    "sku",
    "listed",
    "payment_mpesa_number",
)
#: How many listings with a row's name it is compared with: each comparison checks the whole row.
_COMPARED = 20
#: The text columns, which a spreadsheet may change on its own.
_TEXTS = ("sku", "name", "description")


def _as_it_is(value: Any) -> Any:
    return value


#: How stored texts are normalised before they are compared with a row's.
_FORMS: dict[str, Callable[[Any], Any]] = {
    "name": tidy_line,
    "description": clean_shown,
    "sku": lambda sku: sku and fold_identifier(sku),
}

_NOT_YOURS = "You have no product with this id. Leave it empty for a new listing."
_NOT_THE_SELLERS = "The seller has no product with this id. Leave it empty for a new listing."


class RowImport:
    """One row and the listing it is for."""

    def __init__(
        self,
        row: SheetRow,
        read: ReadRow,
        known: KnownListings,
        seller: User,
        by: User,
        key: str | None,
    ) -> None:
        self._row, self._known = row, known
        self._seller, self._by = seller, by
        self._cells, self._literal, self._unclear = read.cells, read.literal, read.errors
        self._notes: Errors = dict(read.notes)
        self._restock = RowRestock(read.cells, by=by, key=key, note=self._note)

    def save(self, *, check: bool) -> RowReport:
        """Save the row, or only check it. Never raises for a bad row: the report has its errors."""
        report = RowReport(self._row.number, FAILED, notes=self._notes)
        try:
            if self._row.fault:
                raise RowFailed("row", self._row.fault)
            if self._unclear:
                raise FieldRefusal(cast(Any, self._unclear))
            product = self._find()
            report.id = product.pk if product else None
            if product is None:
                report.status, report.id = CREATED, self._create(check)
            else:
                report.status = self._change(product, check)
        except RowFailed as failed:
            report.errors = failed.errors
        except FieldRefusal as refusal:
            report.errors = {name: [*map(str, texts)] for name, texts in refusal.errors.items()}
        except OperationalError as error:
            logger.warning("a row of a sheet could not be saved: %s", error)
            report.errors = {"row": ["The shop was busy. Send this row again."]}
        return report

    def _find(self) -> Product | None:
        """The listing the row is for, or None if it is a new one."""
        cells, known = self._cells, self._known
        product = self._by_id_or_sku()
        if cells.get("id"):
            column = "id"
            if product is None:
                mine = self._by == self._seller
                raise RowFailed("id", _NOT_YOURS if mine else _NOT_THE_SELLERS)
        elif cells.get("sku"):
            column = "sku"
        else:
            column, product = "name", self._identical(tidy_line(cells.get("name", "")))
        self._refuse_spreadsheet_changes(product)
        if product is not None:
            known.refuse_duplicate(column, product.pk, self._row.number)
        return product

    def _refuse_spreadsheet_changes(self, product: Product | None) -> None:
        """Raise RowFailed if a spreadsheet seems to have changed a text of the row.

        Texts with an apostrophe before them are trusted.
        """
        for column in _TEXTS if product else ():
            typed, stored = self._cells.get(column, ""), getattr(product, column) or ""
            if typed and column not in self._literal and may_be_changed_from(typed, stored):
                raise RowFailed(
                    column,
                    f"A spreadsheet seems to have changed “{stored}” to “{typed}”. Leave the cell"
                    f" empty, or put an apostrophe before the text you mean: '{stored[:60]}",
                )
        sku = self._cells.get("sku", "")
        if not sku or "sku" in self._literal:
            return
        by_id = bool(self._cells.get("id"))
        if by_id and product and product.sku == sku:
            return
        other = self._known.same_number_as(sku, exclude=product if by_id else None)
        if other is not None:
            raise RowFailed(
                "sku",
                f"{self._owner_has()} a listing with the sku “{other.sku}” ({other.pk}), which a"
                f" spreadsheet changes to “{sku}”. Give its id, or put an apostrophe before the sku"
                f" you mean: '{other.sku}",
            )
        if looks_truncated(sku) and (product is None or product.sku != sku):
            raise RowFailed(
                "sku",
                f"A spreadsheet seems to have changed a longer sku, or a date, to “{sku}”. Write"
                " the sku in full with an apostrophe before it, like '5901234123457",
            )

    def _by_id_or_sku(self) -> Product | None:
        """The listing with the row's id or sku, or None."""
        if typed := self._cells.get("id"):
            return self._known.by_id.get(int(typed)) if ID.fullmatch(typed) else None
        return self._known.by_sku.get(fold_identifier(self._cells.get("sku", "")))

    def _owner_has(self) -> str:
        return "You have" if self._by == self._seller else "The seller has"

    def _create(self, check: bool) -> int | None:
        serializer = NewRowInput(data=self._form(*NewRowInput().fields))
        if not serializer.is_valid():
            raise FieldRefusal(cast(Any, serializer.errors))
        if self._restock.number():
            raise RowFailed(
                "restock", "For a new listing, put the quantity in item_number, not in restock."
            )
        values = dict(serializer.validated_data)
        self._require_known_phone(values["payment_mpesa_number"])
        column = "sku" if values.get("sku") else "name"
        about = values[column]
        if column == "sku" and "sku" not in self._literal:
            number = number_in(about)
            about = about if number is None else number
        self._known.refuse_duplicate(column, (column, about), self._row.number)
        return None if check else self._list(values)

    def _list(self, values: dict[str, Any]) -> int:
        with transaction.atomic():
            # Under this lock, of two concurrent uploads each sees the other's listings.
            if not lock_row(User, self._seller.pk).is_active:
                raise RowFailed("row", "The account was closed a moment ago.")
            mine = Product.objects.owned_by(self._seller).filter(pk__gt=self._known.last_id)
            if not values.get("sku") and mine.filter(name=values["name"]).exists():
                raise RowFailed("name", "Another upload listed this name a moment ago.")
            return create_product(seller=self._seller, by=self._by, **values).pk

    def _require_known_phone(self, number: str) -> None:
        """Raise RowFailed if staff enter a number at which the seller is not paid yet."""
        mine = Product.objects.owned_by(self._seller).filter(payment_mpesa_number=number)
        if self._by != self._seller and not mine.exists():
            raise RowFailed(
                "payment_mpesa_number",
                "None of the seller's listings is paid to this number. Only the seller can list"
                " the first one with it.",
            )

    def _identical(self, name: str) -> Product | None:
        """The listing that is identical to the row, or None.

        Raises RowFailed if a listing has the same name but differs: the row may be a duplicate by
        mistake.
        """
        same_name = self._known.by_name.get(name, [])
        for product in same_name[:_COMPARED]:
            try:
                if not self._changes(product):
                    return product
            except FieldRefusal:
                continue
        if same_name:
            message = (
                f"{self._owner_has()} a listing with this name already ({same_name[0].pk})."
                " Give its id to change it, or a new sku to list another."
            )
            raise RowFailed("name", message)
        return None

    def _change(self, product: Product, check: bool) -> str:
        changes = self._changes(product)
        number = self._restock.number()
        if not number:
            self._restock.note_ignored_stock(product)
        key = self._restock.reference_key(product, number) if number else ""
        if check:
            counts = bool(number) and self._restock.would_change_stock(product, number, key)
        else:
            counts = self._save(product, changes, number, key)
        if number and not counts:
            self._note("restock", f"This was added before and is not added again. {ADDED_BEFORE}")
        self._note_changes(product, changes)
        return UPDATED if changes or counts else UNCHANGED

    def _note(self, column: str, text: str) -> None:
        self._notes[column] = [*self._notes.get(column, []), text]

    def _note_changes(self, product: Product, changes: dict[str, Any]) -> None:
        """Add notes about changes that the seller cannot see in their file."""
        # The number was read as the stored one, so nothing changes.
        self._notes.pop("payment_mpesa_number", None)
        if product.sku and "sku" in changes:
            self._note("sku", f"Changed from “{product.sku}” to “{changes['sku']}”.")
        if not product.listed and not self._cells.get("listed"):
            self._note(
                "listed", "This listing is not shown. Put true in this column to list it again."
            )

    def _changes(self, product: Product) -> dict[str, Any]:
        """The columns in which the row differs from the listing. Raises FieldRefusal."""
        form = self._form(*_CHANGED_BY_A_ROW)
        if "description" in self._cells:
            form["description"] = self._cells["description"]
        serializer = EditProductInput(product, data=form, partial=True)
        if not serializer.is_valid():
            errors: dict[str, Any] = dict(serializer.errors)
            if errors.pop("password", None):
                errors["payment_mpesa_number"] = [
                    "Changing where you are paid needs your password:"
                    f" PATCH /product/{product.pk}/."
                ]
            raise FieldRefusal(errors)
        values = serializer.validated_data
        return {
            name: value
            for name, value in values.items()
            if _FORMS.get(name, _as_it_is)(getattr(product, name)) != value
        }

    def _save(self, product: Product, changes: dict[str, Any], number: int, key: str) -> bool:
        if not changes and not number:
            return False
        with transaction.atomic():
            edit_product(product.pk, **changes)
            if not number:
                return False
            return self._restock.add(product, number, key)

    def _form(self, *columns: str) -> QueryDict:
        """The row as a submitted form. Empty cells are left out."""
        form = QueryDict(mutable=True)
        for name in columns:
            if cell := self._cells.get(name):
                form[name] = cell
        return form
