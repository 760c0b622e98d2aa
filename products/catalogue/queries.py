"""The kinds of pages the catalogue has, each compiled once (omachemainproj.compiled_queries)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

from omachemainproj.api.pagination import beyond
from omachemainproj.compiled_queries import Fixed, Sometimes, compiled
from products.models import Product
from products.querysets import Newest, ProductQuerySet

from .search import Unindexed, having

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
    return _page(source, text, keyset, after, limit, indexed)


@compiled
def _page(
    source: Fixed[Source],
    text: Sometimes[str],
    keyset: Fixed[tuple[str, ...]],
    after: Sequence[int] | None,
    limit: Fixed[int],
    indexed: Fixed[bool],
) -> QuerySet[Any, Any]:
    rows = in_order(source(text), keyset, indexed=indexed)
    if after is not None:
        rows = rows.filter(beyond(keyset, list(after)))
    return rows[:limit]


@compiled
def _one(product_id: int) -> QuerySet[Any, Any]:
    listed = Product.objects.listed().filter(pk=product_id)
    return listed.as_rows("seller_id", "payment_mpesa_number")


def read_product(product_id: int) -> Any | None:
    """The row of one listed product, with ``seller_id`` and ``payment_mpesa_number``, or None."""
    rows = _one(product_id)
    return rows[0] if rows else None


@compiled
def read_cart(ids: Sequence[int]) -> QuerySet[Any, Any]:
    """The rows of those of these ids that are listed, in any order. One query, or none."""
    return Product.objects.listed().filter(pk__in=ids).as_rows()
