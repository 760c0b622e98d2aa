"""The restock column of one row: how many units to add, and whether they were added before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.http import QueryDict

from accounts.models import User
from omachemainproj.api.errors import FieldRefusal
from products.listings.serializers import RestockInput
from products.listings.services import (
    RestockKeyReused,
    restock_product,
    restock_reference,
    restock_refusal,
)
from products.models import Product, StockMovement

from .known_listings import ID
from .row_reports import RowFailed

ADDED_BEFORE = (
    "If this is another delivery, enter it in a new export that has the column stock_version, or"
    " send the file with a new Idempotency-Key."
)


class RowRestock:
    """The restock of one row. ``key`` is the request's Idempotency-Key, if it has one."""

    def __init__(
        self,
        cells: Mapping[str, str],
        *,
        by: User,
        key: str | None,
        note: Callable[[str, str], None],
    ) -> None:
        self._cells, self._by, self._key, self._note = cells, by, key, note

    def number(self) -> int:
        """The number to add, negative to remove units; 0 for an empty cell. Raises FieldRefusal."""
        typed = self._cells.get("restock", "")
        if typed in {"", "0"}:
            return 0
        form = QueryDict(mutable=True)
        form["number"] = typed
        serializer = RestockInput(data=form)
        if not serializer.is_valid():
            raise FieldRefusal({"restock": cast(Any, serializer.errors)["number"]})
        number: int = serializer.validated_data["number"]
        return number

    def reference_key(self, product: Product, number: int) -> str:
        """The key under which the restock counts once. Adds a note if the export is outdated.

        Raises RowFailed for a stock version that no export of this listing can have.
        """
        if self._key:
            return f"upload:{self._key}"
        if version := self._cells.get("stock_version", ""):
            now = Product.objects.with_stock_version().get(pk=product.pk).stock_version
            if not ID.fullmatch(version) or int(version) > now:
                raise RowFailed("stock_version", "Leave this as it is in your export, or empty.")
            if int(version) < now:
                self._note(
                    "stock_version",
                    "The stock has changed since this was exported. The number in restock is added"
                    " to the current stock.",
                )
            # Without the number: each export restocks a listing at most once.
            return f"sheet:version:{int(version)}"
        # By the number and the stock it was added to, so that a corrected file adds nothing twice.
        return f"sheet:{self._cells.get('item_number', '')}:{number}"

    def would_change_stock(self, product: Product, number: int, key: str) -> bool:
        """Whether ``add`` would change the stock. Raises RowFailed if it would be refused."""
        before = StockMovement.objects.filter(product=product, reference=restock_reference(key))
        added = before.values_list("quantity", flat=True).first()
        if added is not None:
            self._refuse_another_number(added, number)
            return False
        if not product.takes(number):
            raise RowFailed("restock", restock_refusal(product, number))
        return True

    def add(self, product: Product, number: int, key: str) -> bool:
        """Add to the stock in the caller's transaction. Returns False if it was added before.

        Raises FieldRefusal or RowFailed.
        """
        try:
            return restock_product(product.pk, number=number, by=self._by, key=key)
        except FieldRefusal as refusal:
            raise FieldRefusal({"restock": refusal.errors["number"]}) from refusal
        except RestockKeyReused as refusal:
            reference = restock_reference(key)
            moved = StockMovement.objects.filter(product=product, reference=reference)
            self._refuse_another_number(moved.get().quantity, number)
            raise RowFailed("restock", str(refusal)) from refusal

    def _refuse_another_number(self, added: int, number: int) -> None:
        """Raise RowFailed if a different number was added under the same key before."""
        if added == number:
            return
        if self._key:
            raise RowFailed("restock", str(RestockKeyReused()))
        raise RowFailed(
            "restock",
            f"{added} were already added from this export, so {number} cannot be the same delivery."
            f" Nothing was added. {ADDED_BEFORE}",
        )

    def note_ignored_stock(self, product: Product) -> None:
        """Add a note if item_number differs from the stock, because it is ignored."""
        typed = self._cells.get("item_number", "")
        if typed and typed != str(product.item_number):
            self._note(
                "item_number",
                f"There are {product.item_number} in stock, and item_number does not change that."
                " Use the column restock to add to it.",
            )
