"""The existing listings of a seller that the rows of a sheet may be for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import F, Func, Max, Q, QuerySet, TextField, Value

from accounts.models import User
from omachemainproj.text import fold_identifier, tidy_line
from products.models import Product, ProductQuerySet

from .cells import ReadRow, number_in
from .row_reports import RowFailed

ID = re.compile(r"[0-9]{1,18}")


class KnownListings:
    """The seller's listings that the rows may be for, as of the upload. Two queries."""

    def __init__(self, rows: Iterable[ReadRow], seller: User) -> None:
        cells = [row.cells for row in rows]
        ids = [int(one) for c in cells if ID.fullmatch(one := c.get("id", ""))]
        typed = [sku for c in cells if (sku := c.get("sku"))]
        # Both forms: older listings may have a sku that was not normalised.
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
        #: The number of the first row for each listing.
        self._rows: dict[Any, int] = {}

    def same_number_as(self, sku: str, *, exclude: Product | None) -> Product | None:
        """Another listing whose sku is the same number written differently; None if none is."""
        number = number_in(sku)
        alike = [] if number is None else self._by_number.get(number, [])
        return next((one for one in alike if one != exclude and one.sku != sku), None)

    def refuse_duplicate(self, column: str, about: Any, row: int) -> None:
        """Raise RowFailed if an earlier row was for the same listing."""
        before = self._rows.setdefault(about, row)
        if before != row:
            raise RowFailed(column, f"Row {before} is about the same listing.")


def _or_of_the_same_number(
    mine: ProductQuerySet, named: Q, skus: Iterable[str]
) -> QuerySet[Product]:
    """The named products, and those whose sku is the same number as one of ``skus``.

    The result may have false matches, such as 120 for 12. ``KnownListings`` compares the numbers.
    """
    bare = [_sku_as_number(sku) for sku in skus if number_in(sku) is not None]
    if not bare:
        return mine.filter(named)
    digits: Any = F("sku")
    for function, cut in (("LTRIM", "0"), ("RTRIM", "0"), ("RTRIM", ".")):
        digits = Func(digits, Value(cut), function=function, output_field=TextField())
    powers = Q(sku__iregex=r"^[0-9.,]+e\+?[0-9]+$")
    return mine.annotate(bare_sku=digits).filter(named | Q(bare_sku__in=bare) | powers)


def _sku_as_number(sku: str) -> str:
    return sku.lstrip("0").rstrip("0").rstrip(".")
