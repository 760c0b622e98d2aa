"""Import of a sheet of listings: each row is saved, or fails, by itself.

A row is about the listing with its ``id`` or its ``sku``; without either it is a new one. Sending
the same file again lists nothing twice and adds no stock twice, and nothing that a spreadsheet made
of a sku is taken for one: docs/selling.md is the promise.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, cast

from django.db import OperationalError, transaction
from django.db.models import F, Func, Max, Q, QuerySet, TextField, Value
from django.http import QueryDict

from accounts.models import User
from omachemainproj.api.errors import FieldRefusal
from omachemainproj.locking import locked_row
from omachemainproj.text import clean_shown, fold_identifier, tidy_line
from products.listings.services import (
    RestockKeyReused,
    create_product,
    edit_product,
    restock_product,
    restock_reference,
    why_not,
)
from products.models import Product, ProductQuerySet, StockMovement
from products.serializers import EditProductInput, NewRowInput, RestockInput

from .cells import ReadRow, is_made_of, looks_cut, number_in, read_row
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
#: Of these, the texts that a spreadsheet may change without being asked.
_TEXTS = ("sku", "name", "description")
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

_NOT_YOURS = "You have no product with this id. A new one has none."
_NOT_THE_SELLERS = "The seller has no product with this id. A new one has none."
_AGAIN = (
    "If it is another delivery, say so in a fresh export with its column stock_version, or with an"
    " Idempotency-Key of its own."
)


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
        self._known = _Known(self._read.values(), seller)
        self._seller, self._by, self._key = seller, by, key
        self.seller = seller

    def import_row(self, row: SheetRow, *, check: bool) -> RowReport:
        """Save the row, or only check it, and report on it."""
        read = self._read[row.number]
        return _Row(row, read, self._known, self._seller, self._by, self._key).save(check=check)


class _Known:
    """The seller's listings that the rows name, as they were when the file came. Two queries."""

    def __init__(self, rows: Iterable[ReadRow], seller: User) -> None:
        cells = [row.cells for row in rows]
        ids = [int(one) for c in cells if _ID.fullmatch(one := c.get("id", ""))]
        typed = [sku for c in cells if (sku := c.get("sku"))]
        # Both forms: a listing may have been here before texts had one.
        skus = sorted({*typed, *map(fold_identifier, typed)})
        names = [tidy_line(c.get("name", "")) for c in cells]
        mine = Product.objects.owned_by(seller)
        self.last_id = mine.aggregate(last=Max("pk"))["last"] or 0
        named = Q(pk__in=ids) | Q(sku__in=skus) | Q(name__in=names)
        found = _or_of_the_same_number(mine, named, skus).order_by("-pk")
        self.by_id: dict[int, Product] = {}
        self.by_sku: dict[str, Product] = {}
        self.by_name: dict[str, list[Product]] = {}
        self._by_number: dict[Decimal, list[Product]] = {}
        for product in found:
            self.by_id[product.pk] = product
            self.by_name.setdefault(tidy_line(product.name), []).append(product)
            if product.sku:
                self.by_sku[fold_identifier(product.sku)] = product
                number = number_in(product.sku)
                if number is not None:
                    self._by_number.setdefault(number, []).append(product)
        #: The number of the first row about a listing.
        self._rows: dict[Any, int] = {}

    def same_to_a_spreadsheet(self, sku: str, *, but: Product | None) -> Product | None:
        """Another listing whose sku is the same number, written in another way; or None."""
        number = number_in(sku)
        alike = [] if number is None else self._by_number.get(number, [])
        return next((one for one in alike if one != but and one.sku != sku), None)

    def refuse_twice(self, column: str, about: Any, row: int) -> None:
        """Raise _Failed when an earlier row was about the same listing."""
        before = self._rows.setdefault(about, row)
        if before != row:
            raise _Failed(column, f"Row {before} is about the same listing.")


def _or_of_the_same_number(
    mine: ProductQuerySet, named: Q, skus: Iterable[str]
) -> QuerySet[Product]:
    """The products that are named, and those with a sku that is one of these as a number.

    Some more may be among them: 120 for 12. ``_Known`` compares what is found.
    """
    bare = [_bare(sku) for sku in skus if number_in(sku) is not None]
    if not bare:
        return mine.filter(named)
    digits: Any = F("sku")
    for function, cut in (("LTRIM", "0"), ("RTRIM", "0"), ("RTRIM", ".")):
        digits = Func(digits, Value(cut), function=function, output_field=TextField())
    powers = Q(sku__iregex=r"^[0-9.,]+e\+?[0-9]+$")
    return mine.annotate(bare_sku=digits).filter(named | Q(bare_sku__in=bare) | powers)


def _bare(sku: str) -> str:
    return sku.lstrip("0").rstrip("0").rstrip(".")


class _Row:
    """One row and the listing it is about."""

    def __init__(
        self, row: SheetRow, read: ReadRow, known: _Known, seller: User, by: User, key: str | None
    ) -> None:
        self._row, self._known, self._key = row, known, key
        self._seller, self._by = seller, by
        self._cells, self._literal, self._unclear = read.cells, read.literal, read.errors
        self._notes: Errors = dict(read.notes)

    def save(self, *, check: bool) -> RowReport:
        """Save the row, or only check it, and report on it."""
        report = RowReport(self._row.number, FAILED, notes=self._notes)
        try:
            if self._row.fault:
                raise _Failed("row", self._row.fault)
            if self._unclear:
                raise FieldRefusal(cast(Any, self._unclear))
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
                mine = self._by == self._seller
                raise _Failed("id", _NOT_YOURS if mine else _NOT_THE_SELLERS)
        elif cells.get("sku"):
            column = "sku"
        else:
            column, product = "name", self._identical(tidy_line(cells.get("name", "")))
        self._refuse_made_by_a_spreadsheet(product)
        if product is not None:
            known.refuse_twice(column, product.pk, self._row.number)
        return product

    def _refuse_made_by_a_spreadsheet(self, product: Product | None) -> None:
        """Raise _Failed where a text of the row is what a spreadsheet made of another.

        What has an apostrophe before it is taken as it is.
        """
        for column in _TEXTS if product else ():
            typed, stored = self._cells.get(column, ""), getattr(product, column) or ""
            if typed and column not in self._literal and is_made_of(typed, stored):
                raise _Failed(
                    column,
                    f"“{typed}” seems to be what a spreadsheet made of “{stored}”. Leave the cell"
                    f" empty, or put an apostrophe before what you mean: '{stored[:60]}",
                )
        sku = self._cells.get("sku", "")
        if not sku or "sku" in self._literal:
            return
        by_id = bool(self._cells.get("id"))
        if by_id and product and product.sku == sku:
            return
        other = self._known.same_to_a_spreadsheet(sku, but=product if by_id else None)
        if other is not None:
            raise _Failed(
                "sku",
                f"{self._whom()} a listing with the sku “{other.sku}” ({other.pk}), of which a"
                f" spreadsheet makes “{sku}”. Give its id, or put an apostrophe before the sku you"
                f" mean: '{other.sku}",
            )
        if looks_cut(sku) and (product is None or product.sku != sku):
            raise _Failed(
                "sku",
                f"“{sku}” is what a spreadsheet makes of a longer sku, or of a date. Write the sku"
                " in full, with an apostrophe before it, like '5901234123457",
            )

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
        about = values[column]
        if column == "sku" and "sku" not in self._literal:
            number = number_in(about)
            about = about if number is None else number
        self._known.refuse_twice(column, (column, about), self._row.number)
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
        key = self._restock_key(product, number) if number else ""
        if check:
            counts = bool(number) and self._would_count(product, number, key)
        else:
            counts = self._save(product, changes, number, key)
        if number and not counts:
            self._note("restock", f"This was added before, and is not added again. {_AGAIN}")
        self._note_changes(product, changes)
        return UPDATED if changes or counts else UNCHANGED

    def _note(self, column: str, text: str) -> None:
        self._notes[column] = [*self._notes.get(column, []), text]

    def _note_changes(self, product: Product, changes: dict[str, Any]) -> None:
        """Note what a person who looks at their file would not see."""
        # Read as the number that is there.
        self._notes.pop("payment_mpesa_number", None)
        if product.sku and "sku" in changes:
            self._note("sku", f"Changed from “{product.sku}” to “{changes['sku']}”.")
        if not product.listed and not self._cells.get("listed"):
            self._note("listed", "This listing is taken off; true in this column shows it again.")

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

    def _restock_key(self, product: Product, number: int) -> str:
        """What the restock counts once under. Notes it where the file is of an earlier shelf.

        Raises _Failed for a version that no export of this listing can have had.
        """
        if self._key:
            return f"upload:{self._key}"
        if version := self._cells.get("stock_version", ""):
            now = Product.objects.with_stock_version().get(pk=product.pk).stock_version
            if not _ID.fullmatch(version) or int(version) > now:
                raise _Failed("stock_version", "Leave this as your export has it, or empty.")
            if int(version) < now:
                self._note(
                    "stock_version",
                    "The stock has moved since this was exported. What restock says is added to"
                    " what is there now.",
                )
            # Whatever the number: of one export a listing is restocked once.
            return f"sheet:version:{int(version)}"
        # The number, and the stock it was added to: a corrected file sent again adds nothing twice.
        return f"sheet:{self._cells.get('item_number', '')}:{number}"

    def _would_count(self, product: Product, number: int, key: str) -> bool:
        before = StockMovement.objects.filter(product=product, reference=restock_reference(key))
        added = before.values_list("quantity", flat=True).first()
        if added is not None:
            self._refuse_another_number(added, number)
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
            except RestockKeyReused as refusal:
                reference = restock_reference(key)
                moved = StockMovement.objects.filter(product=product, reference=reference)
                self._refuse_another_number(moved.get().quantity, number)
                raise _Failed("restock", str(refusal)) from refusal

    def _refuse_another_number(self, added: int, number: int) -> None:
        """Raise _Failed where another number was added under the same key before."""
        if added == number:
            return
        if self._key:
            raise _Failed("restock", str(RestockKeyReused()))
        raise _Failed(
            "restock",
            f"{added} were added by this export before, and {number} cannot be the same delivery."
            f" Nothing was added now. {_AGAIN}",
        )

    def _note_ignored_stock(self, product: Product) -> None:
        typed = self._cells.get("item_number", "")
        if typed and typed != str(product.item_number):
            self._note(
                "item_number",
                f"{product.item_number} stand on the shelf, and this changes nothing of it: the"
                " column restock adds to it.",
            )

    def _form(self, *columns: str) -> QueryDict:
        """The row as a form that was sent; an empty cell says nothing."""
        form = QueryDict(mutable=True)
        for name in columns:
            if cell := self._cells.get(name):
                form[name] = cell
        return form
