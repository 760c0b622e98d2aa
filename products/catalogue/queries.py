"""What the catalogue reads: rows of products, and the kinds of pages, each compiled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Func, OuterRef, QuerySet, Subquery, TextField
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import User
from omachemainproj.api.pagination import beyond
from omachemainproj.compiled_queries import Fixed, Sometimes, compiled
from products.models import Newest, Product, ProductQuerySet

from .representation import COLUMNS, LISTING_COLUMNS
from .search import Unindexed, having

#: Makes the products of a list from one text: a category, or a search query.
Source = Callable[[str], ProductQuerySet]


class Created(Func):
    """``created_at`` as the API writes it: ISO 8601 in UTC.

    Formatted by the database: 150 times parsed into Python and formatted again were a fifth of
    what the home page cost.
    """

    output_field = TextField()

    def __init__(self, expression: Any = "created_at", **extra: Any) -> None:
        super().__init__(expression, **extra)

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        form = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
        template = f"to_char(%(expressions)s AT TIME ZONE 'UTC', '{form}')"
        return super().as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> tuple[str, Any]:
        # Django stores moments in SQLite as text, in UTC.
        template = "(replace(%(expressions)s, ' ', 'T') || '+00:00')"
        return super().as_sql(compiler, connection, template=template)


def as_rows(products: ProductQuerySet, *more: str) -> QuerySet[Any]:
    """Named tuples of what the public sees of these products (``COLUMNS``), and ``more``."""
    seller = User.objects.filter(pk=OuterRef("seller_id")).values("username")
    # Not a join: the database asks for the names of the rows it answers, and of no others.
    rows = products.annotate(user_name=Subquery(seller[:1]), created=Created())
    return rows.values_list(*COLUMNS, *more, named=True)


def as_listings(products: ProductQuerySet, *more: str) -> QuerySet[Any]:
    """Named tuples of what a seller sees of their own products, and ``more``."""
    return as_rows(products, *LISTING_COLUMNS[len(COLUMNS) :], *more)


def everything(_: str) -> ProductQuerySet:
    """All listed products; the text is not looked at."""
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
    """Rows of these products in the keyset's order.

    Without ``indexed`` the order is written so that no index has it: the database then finds the
    rows first and sorts them afterwards.
    """
    if keyset[0] == "newest":
        return as_rows(products.annotate(newest=Newest()), "newest").order_by("newest")
    first, *rest = keyset
    if indexed:
        return as_rows(products).order_by(*keyset)
    column = Unindexed(first.lstrip("-"))
    return as_rows(products).order_by(
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
    """At most ``limit`` rows of a list, after the keyset values ``after`` if given. One query."""
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
    return as_rows(listed, "seller_id", "payment_mpesa_number")


def read_product(product_id: int) -> Any | None:
    """The row of one listed product, with ``seller_id`` and ``payment_mpesa_number``, or None."""
    rows = _one(product_id)
    return rows[0] if rows else None


@compiled
def read_cart(ids: Sequence[int]) -> QuerySet[Any, Any]:
    """The rows of those of these ids that are listed, in any order. One query, or none."""
    return as_rows(Product.objects.listed().filter(pk__in=ids))
