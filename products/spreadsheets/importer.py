"""Import of a sheet of listings: each row is saved, or fails, by itself.

A row is about the listing with its ``id`` or its ``sku``; without either it is a new one. Sending
the same file again lists nothing twice and adds no stock twice: docs/selling.md is the promise.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from django.db import OperationalError, transaction
from django.db.models import Max, Q
from django.http import QueryDict

from accounts.models import User
from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.compiled_queries import locked_row
from omachemainproj.text import clean_shown, fold_identifier, tidy_line
from products.listings.services import (
    create_product,
    edit_product,
    restock_product,
    restock_reference,
    why_not,
)
from products.models import Product, StockMovement
from products.serializers import EditProductInput, NewRowInput, RestockInput

from .csv_format import SheetRow

logger = logging.getLogger(__name__)

CREATED, UPDATED, UNCHANGED, FAILED = "created", "updated", "unchanged", "failed"
STATUSES = (CREATED, UPDATED, UNCHANGED, FAILED)
#: The columns that change a listing that is there.
_CHANGED_BY_A_ROW = (
    "name",
    "description",
    "category",
    "price",
    "sku",
    "listed",
    "payment_mpesa_number",
)
_ID = re.compile(r"[0-9]{1,18}")


def _as_it_is(value: Any) -> Any:
    return value


#: In which form a text is compared with what is stored.
_FORMS: dict[str, Callable[[Any], Any]] = {
    "name": tidy_line,
    "description": clean_shown,
    "sku": lambda sku: sku and fold_identifier(sku),
}

Errors = dict[str, list[str]]


@dataclass(slots=True)
class RowReport:
    """What was done with a row, or would be, when it is only checked."""

    row: int
    status: str
    id: int | None = None
    errors: Errors = field(default_factory=dict)
    notes: Errors = field(default_factory=dict)


class _Failed(Exception):
    def __init__(self, column: str, message: str) -> None:
        self.errors: Errors = {column: [message]}
        super().__init__(message)


def import_sheet(
    rows: Sequence[SheetRow], *, seller: User, check: bool = False, key: str | None = None
) -> dict[str, Any]:
    """Create and change a seller's listings by the rows of a sheet; report on each row.

    A row that fails changes nothing and stops no other from being saved. With ``check`` nothing is
    saved at all. Restocks are safe to repeat: under ``key``, the request's Idempotency-Key, a
    listing is restocked once; without one, the same number added to the same stock counts once.
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
        self._known = _Known(rows, seller)
        self._seller, self._by, self._key = seller, by, key

    def import_row(self, row: SheetRow, *, check: bool) -> RowReport:
        """Save the row, or only check it, and report on it."""
        return _Row(row, self._known, self._seller, self._by, self._key).save(check=check)


class _Known:
    """The seller's listings that the rows name, as they were when the file came. Two queries."""

    def __init__(self, rows: Sequence[SheetRow], seller: User) -> None:
        cells = [row.cells for row in rows]
        ids = [int(one) for c in cells if _ID.fullmatch(one := c.get("id", "").strip())]
        typed = [sku for c in cells if (sku := c.get("sku", "").strip())]
        # Both forms: a listing may have been here before texts had one.
        skus = {*typed, *map(fold_identifier, typed)}
        names = [tidy_line(c.get("name", "")) for c in cells]
        mine = Product.objects.owned_by(seller)
        self.last_id = mine.aggregate(last=Max("pk"))["last"] or 0
        found = mine.filter(Q(pk__in=ids) | Q(sku__in=skus) | Q(name__in=names)).order_by("-pk")
        self.by_id: dict[int, Product] = {}
        self.by_sku: dict[str, Product] = {}
        self.by_name: dict[str, list[Product]] = {}
        for product in found:
            self.by_id[product.pk] = product
            self.by_name.setdefault(tidy_line(product.name), []).append(product)
            if product.sku:
                self.by_sku[fold_identifier(product.sku)] = product
        #: The number of the first row about a listing.
        self._rows: dict[Any, int] = {}

    def refuse_twice(self, column: str, about: Any, row: int) -> None:
        """Raise _Failed when an earlier row was about the same listing."""
        before = self._rows.setdefault(about, row)
        if before != row:
            raise _Failed(column, f"Row {before} is about the same listing.")


class _Row:
    """One row and the listing it is about."""

    def __init__(
        self, row: SheetRow, known: _Known, seller: User, by: User, key: str | None
    ) -> None:
        self._row, self._known, self._key = row, known, key
        self._seller, self._by = seller, by
        self._cells = {name: cell.strip() for name, cell in row.cells.items()}
        self._notes: Errors = {}

    def save(self, *, check: bool) -> RowReport:
        """Save the row, or only check it, and report on it."""
        report = RowReport(self._row.number, FAILED, notes=self._notes)
        try:
            if self._row.fault:
                raise _Failed("row", self._row.fault)
            product = self._find()
            report.id = product.pk if product else None
            if product is None:
                report.status, report.id = CREATED, self._create(check)
            else:
                report.status = self._change(product, check)
        except _Failed as failed:
            report.errors = failed.errors
        except FieldRefusal as refusal:
            report.errors = {name: [*map(str, texts)] for name, texts in refusal.errors.items()}
        except OperationalError as error:
            logger.warning("a row of a sheet could not be saved: %s", error)
            report.errors = {"row": ["The shop was busy. Send this row again."]}
        return report

    def _find(self) -> Product | None:
        """The listing the row is about, or None where it is a new one."""
        cells, known = self._cells, self._known
        product = self._by_id_or_sku()
        if cells.get("id"):
            column = "id"
            if product is None:
                raise _Failed("id", f"{self._whom()} no product with this id. A new one has none.")
        elif cells.get("sku"):
            column = "sku"
        else:
            column, product = "name", self._identical(tidy_line(cells.get("name", "")))
        if product is not None:
            known.refuse_twice(column, product.pk, self._row.number)
        return product

    def _by_id_or_sku(self) -> Product | None:
        """The listing with the row's id or sku, or None."""
        if typed := self._cells.get("id"):
            return self._known.by_id.get(int(typed)) if _ID.fullmatch(typed) else None
        return self._known.by_sku.get(fold_identifier(self._cells.get("sku", "")))

    def _whom(self) -> str:
        return "You have" if self._by == self._seller else "The seller has"

    def _create(self, check: bool) -> int | None:
        asked = NewRowInput(data=self._form(*NewRowInput().fields))
        if not asked.is_valid():
            raise FieldRefusal(cast(Any, asked.errors))
        if self._restock():
            raise _Failed("restock", "A new listing says how many there are in item_number.")
        values = dict(asked.validated_data)
        self._require_known_phone(values["payment_mpesa_number"])
        column = "sku" if values.get("sku") else "name"
        self._known.refuse_twice(column, (column, values[column]), self._row.number)
        return None if check else self._list(values)

    def _list(self, values: dict[str, Any]) -> int:
        with transaction.atomic():
            # Under this lock two uploads at once see what the other has listed.
            locked_row(User, self._seller.pk)
            mine = Product.objects.owned_by(self._seller).filter(pk__gt=self._known.last_id)
            if not values.get("sku") and mine.filter(name=values["name"]).exists():
                raise _Failed("name", "Another upload listed this name a moment ago.")
            return create_product(seller=self._seller, by=self._by, **values).pk

    def _require_known_phone(self, number: str) -> None:
        """Raise _Failed where staff name a phone at which the seller is not paid yet."""
        mine = Product.objects.owned_by(self._seller).filter(payment_mpesa_number=number)
        if self._by != self._seller and not mine.exists():
            raise _Failed(
                "payment_mpesa_number",
                "None of the seller's listings is paid to this number. They list the first"
                " themselves.",
            )

    def _identical(self, name: str) -> Product | None:
        """The listing that says just what the row says, or None.

        Raises _Failed where one has the same name but differs: a second one may be an accident.
        """
        there = self._known.by_name.get(name, [])
        for product in there:
            try:
                if not self._changes(product):
                    return product
            except FieldRefusal:
                continue
        if there:
            message = (
                f"{self._whom()} a listing with this name already ({there[0].pk}). Give its id to"
                " change it, or a sku of its own to list another."
            )
            raise _Failed("name", message)
        return None

    def _change(self, product: Product, check: bool) -> str:
        changes = self._changes(product)
        number = self._restock()
        if not number:
            self._note_ignored_stock(product)
        key = self._restock_key(number)
        if check:
            counts = bool(number) and self._would_count(product, number, key)
        else:
            counts = self._save(product, changes, number, key)
        if number and not counts:
            self._notes["restock"] = [
                "This was added before, and is not added again. If it is another delivery, say so"
                " with an Idempotency-Key of its own."
            ]
        return UPDATED if changes or counts else UNCHANGED

    def _changes(self, product: Product) -> dict[str, Any]:
        """The columns in which the row differs from the listing. Raises FieldRefusal."""
        form = self._form(*_CHANGED_BY_A_ROW)
        if "description" in self._cells:
            form["description"] = self._cells["description"]
        asked = EditProductInput(product, data=form, partial=True)
        if not asked.is_valid():
            errors: dict[str, Any] = dict(asked.errors)
            if errors.pop("password", None):
                errors["payment_mpesa_number"] = [
                    f"Where you are paid changes with your password: PATCH /product/{product.pk}/."
                ]
            raise FieldRefusal(errors)
        values = asked.validated_data
        return {
            name: value
            for name, value in values.items()
            if _FORMS.get(name, _as_it_is)(getattr(product, name)) != value
        }

    def _restock(self) -> int:
        typed = self._cells.get("restock", "")
        if typed in {"", "0"}:
            return 0
        form = QueryDict(mutable=True)
        form["number"] = typed
        asked = RestockInput(data=form)
        if not asked.is_valid():
            raise FieldRefusal({"restock": cast(Any, asked.errors)["number"]})
        number: int = asked.validated_data["number"]
        return number

    def _restock_key(self, number: int) -> str:
        if self._key:
            return f"upload:{self._key}"
        # The number, and the stock it was added to: a corrected file sent again adds nothing twice.
        return f"sheet:{self._cells.get('item_number', '')}:{number}"

    def _would_count(self, product: Product, number: int, key: str) -> bool:
        reference = restock_reference(key)
        if StockMovement.objects.filter(product=product, reference=reference).exists():
            return False
        if not product.takes(number):
            raise _Failed("restock", why_not(product, number))
        return True

    def _save(self, product: Product, changes: dict[str, Any], number: int, key: str) -> bool:
        if not changes and not number:
            return False
        with transaction.atomic():
            edit_product(product.pk, **changes)
            if not number:
                return False
            try:
                return restock_product(product.pk, number=number, by=self._by, key=key)
            except FieldRefusal as refusal:
                raise FieldRefusal({"restock": refusal.errors["number"]}) from refusal
            except Refusal as refusal:
                raise _Failed("restock", str(refusal)) from refusal

    def _note_ignored_stock(self, product: Product) -> None:
        typed = self._cells.get("item_number", "")
        if typed and typed != str(product.item_number):
            self._notes["item_number"] = [
                f"{product.item_number} stand on the shelf, and this changes nothing of it: the"
                " column restock adds to it."
            ]

    def _form(self, *columns: str) -> QueryDict:
        """The row as a form that was sent; an empty cell says nothing."""
        form = QueryDict(mutable=True)
        for name in columns:
            if cell := self._cells.get(name):
                form[name] = cell
        return form
