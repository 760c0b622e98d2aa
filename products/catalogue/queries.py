"""The kinds of pages the catalogue has, each compiled once (products.catalogue.statements)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from omachemainproj.api.pagination import beyond
from products.models import Product
from products.querysets import Newest, ProductQuerySet

from .search import Unindexed, having
from .statements import NUMBERS, TEXT, Statement, compiled

#: Makes the products of a list from one text, like a category's name.
Source = Callable[[str], ProductQuerySet]


def everything(_: str) -> ProductQuerySet:
    """All that is listed."""
    return Product.objects.listed()


def found(query: str) -> ProductQuerySet:
    """What a search finds (see products.catalogue.search.query_for)."""
    return having(Product.objects.listed(), query)


def on_sale(category: str) -> ProductQuerySet:
    """What can be bought of a category."""
    return Product.objects.on_sale().filter(category=category)


def sold_out(category: str) -> ProductQuerySet:
    """What is sold out of a category."""
    return Product.objects.sold_out().filter(category=category)


def in_order(products: ProductQuerySet, keyset: Sequence[str], *, indexed: bool) -> QuerySet[Any]:
    """Rows in the keyset's order; without ``indexed`` as no index has it, so that the database
    finds the rows first and sorts them then."""
    if keyset[0] == "newest":
        return products.annotate(newest=Newest()).as_rows("newest").order_by("newest")
    first, *rest = keyset
    if indexed:
        return products.as_rows().order_by(*keyset)
    column = Unindexed(first.lstrip("-"))
    return products.as_rows().order_by(
        column.desc() if first.startswith("-") else column.asc(), *rest
    )


def read_page(
    source: Source,
    text: str,
    keyset: tuple[str, ...],
    after: Sequence[int] | None,
    limit: int,
    *,
    indexed: bool = True,
) -> list[Any]:
    """At most ``limit`` rows of a list, those after a place where one is given. One query."""
    statement = _page(connection.vendor, source, keyset, after is not None, limit, indexed)
    filled: dict[Any, Any] = {TEXT: text}
    filled.update(zip(NUMBERS, after or (), strict=False))
    return statement.rows(filled)


@lru_cache(maxsize=1024)
def _page(
    vendor: str, source: Source, keyset: tuple[str, ...], later: bool, limit: int, indexed: bool
) -> Statement:
    rows = in_order(source(TEXT), keyset, indexed=indexed)
    if later:
        rows = rows.filter(beyond(keyset, list(NUMBERS[: len(keyset)])))
    return compiled(rows[:limit], *(["newest"] if keyset[0] == "newest" else []))


@lru_cache(maxsize=1)
def _one(vendor: str) -> Statement:
    more = ("seller_id", "payment_mpesa_number")
    return compiled(Product.objects.listed().filter(pk=NUMBERS[0]).as_rows(*more), *more)


def read_product(product_id: int) -> Any | None:
    """The row of one listed product, with ``seller_id`` and ``payment_mpesa_number``, or None."""
    rows = _one(connection.vendor).rows({NUMBERS[0]: product_id})
    return rows[0] if rows else None


@lru_cache(maxsize=256)
def _cart(vendor: str, size: int) -> Statement:
    marks = [NUMBERS[0] - number for number in range(size)]
    return compiled(Product.objects.listed().filter(pk__in=marks).as_rows())


def read_cart(ids: Sequence[int]) -> list[Any]:
    """The rows of those of these ids that are listed, in any order. One query, or none."""
    if not ids:
        return []
    marks = {NUMBERS[0] - number: pk for number, pk in enumerate(ids)}
    return _cart(connection.vendor, len(ids)).rows(marks)
