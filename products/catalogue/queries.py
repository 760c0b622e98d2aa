"""Queries of the catalogue: rows of products, and pages of them, each compiled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db.models import Func, OuterRef, QuerySet, Subquery, TextField
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import User
from omachemainproj.api.pagination import beyond
from omachemainproj.compiled_queries import Fixed, Sometimes, Statement, compiled, statement_of
from products.models import Newest, Product, ProductQuerySet

from .representation import COLUMNS, LISTING_COLUMNS
from .search import AmongLatest, Unindexed, having, having_dated

#: Builds the queryset of a list from one text: a category, or a search query.
Source = Callable[[str], ProductQuerySet]


class Created(Func):
    """``created_at`` as the API writes it: ISO 8601 in UTC.

    Formatted by the database: parsing and formatting 150 of them in Python was a fifth of the cost
    of the home page.
    """

    output_field = TextField()

    def __init__(self, expression: Any = "created_at", **extra: Any) -> None:
        super().__init__(expression, **extra)

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        form = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
        template = f"to_char(%(expressions)s AT TIME ZONE 'UTC', '{form}')"
        return super().as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> tuple[str, Any]:
        # Django stores datetimes in SQLite as text, in UTC.
        template = "(replace(%(expressions)s, ' ', 'T') || '+00:00')"
        return super().as_sql(compiler, connection, template=template)


class Pictures(Func):
    """The pictures of a product as JSON, in their order: see ``ProductRepresentation.pictures``.

    Part of the statement that reads the product, because a separate query would cost more.
    """

    output_field = TextField()
    _COLUMNS = "picture.id, picture.thumbnail, picture.medium, picture.image, picture.preview"
    _FROM = "FROM products_productpicture AS picture WHERE picture.product_id = %(expressions)s"

    def __init__(self, expression: Any = "id", **extra: Any) -> None:
        super().__init__(expression, **extra)

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        template = (
            f"(SELECT coalesce(json_agg(json_build_array({self._COLUMNS}, picture.sizes)"
            f" ORDER BY picture.place), '[]')::text {self._FROM})"
        )
        return super().as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> tuple[str, Any]:
        ordered = f"SELECT * {self._FROM} ORDER BY picture.place"
        columns = f"{self._COLUMNS}, json(picture.sizes)"
        rows = f"json_group_array(json_array({columns}))"
        template = f"(SELECT {rows} FROM ({ordered}) AS picture)"  # noqa: S608
        return super().as_sql(compiler, connection, template=template)


def as_rows(
    products: ProductQuerySet, *more: str, columns: tuple[str, ...] = COLUMNS
) -> QuerySet[Any]:
    """Named tuples of the public columns of these products (``COLUMNS``), and ``more``."""
    seller = User.objects.filter(pk=OuterRef("seller_id")).values("username")
    # Not a join: the database looks up the names of the returned rows only.
    rows = products.annotate(user_name=Subquery(seller[:1]), created=Created(), gallery=Pictures())
    return rows.values_list(*columns, *more, named=True)


def as_listings(products: ProductQuerySet, *more: str) -> QuerySet[Any]:
    """Named tuples of the columns a seller sees of their own products, and ``more``."""
    return as_rows(products, *LISTING_COLUMNS[len(COLUMNS) :], *more)


def everything(_: str) -> ProductQuerySet:
    """All listed products. The text is ignored."""
    return Product.objects.listed()


def found(query: str) -> ProductQuerySet:
    """The matches of a search (see products.catalogue.search.query_for)."""
    return having(Product.objects.listed(), query)


def found_lately(query: str) -> ProductQuerySet:
    """The matches of a search, for a page with a ``reach`` (PostgreSQL)."""
    return having_dated(Product.objects.listed(), query)


def on_sale(category: str) -> ProductQuerySet:
    """The products of a category that are for sale."""
    return Product.objects.on_sale().filter(category=category)


def sold_out(category: str) -> ProductQuerySet:
    """The sold-out products of a category."""
    return Product.objects.sold_out().filter(category=category)


def in_order(
    products: ProductQuerySet,
    keyset: Sequence[str],
    *,
    indexed: bool,
    columns: tuple[str, ...] = COLUMNS,
) -> QuerySet[Any]:
    """Rows of these products in the keyset's order, including its columns.

    Without ``indexed``, the order is written so that no index serves it: the database then finds
    the rows first and sorts them afterwards.
    """
    names = [name.lstrip("-") for name in keyset]
    if "newest" in names:
        products = products.annotate(newest=Newest())
    rows = as_rows(products, *(name for name in names if name not in columns), columns=columns)
    first, *rest = keyset
    if indexed or "newest" in names:
        return rows.order_by(*keyset)
    column = Unindexed(first.lstrip("-"))
    return rows.order_by(column.desc() if first.startswith("-") else column.asc(), *rest)


class Page(NamedTuple):
    """One page of a list: its order, starting point, length and columns."""

    keyset: tuple[str, ...]
    after: Sequence[int] | None
    limit: int
    columns: tuple[str, ...] = COLUMNS
    indexed: bool = True
    #: For ``found_lately``: how far back from ``after`` to look (``search.AmongLatest``).
    reach: int | None = None
    #: Lowest and highest price, in KES.
    least: int | None = None
    most: int | None = None


def cut(products: ProductQuerySet, page: Page) -> QuerySet[Any]:
    """The rows of a page of these products."""
    if page.least is not None:
        products = products.filter(price__gte=page.least)
    if page.most is not None:
        products = products.filter(price__lte=page.most)
    rows = in_order(products, page.keyset, indexed=page.indexed, columns=page.columns)
    if page.after is not None:
        rows = rows.filter(beyond(page.keyset, list(page.after)))
    if page.reach is not None:
        rows = rows.filter(AmongLatest(page.reach, page.after[0] if page.after else None))
    return rows[: page.limit]


def read_page(source: Source, text: str, page: Page) -> list[Any]:
    """The rows of a page of one list. One query."""
    return _page(source, text, *page)


@compiled
def _page(  # noqa: PLR0913, PLR0917 - the fields of a Page, as parameters of the statement
    source: Fixed[Source],
    text: Sometimes[str],
    keyset: Fixed[tuple[str, ...]],
    after: Sequence[int] | None,
    limit: Fixed[int],
    columns: Fixed[tuple[str, ...]],
    indexed: Fixed[bool],
    reach: Fixed[int | None],
    least: int | None,
    most: int | None,
) -> QuerySet[Any, Any]:
    return cut(source(text), Page(keyset, after, limit, columns, indexed, reach, least, most))


def read_merged(lists: Sequence[tuple[Source, str]], page: Page) -> list[Any]:
    """The rows of a page of several lists without common products. One query.

    Each list is scanned in its own index up to a page of rows; only those rows are sorted.
    """
    return _merged(
        [_page.statement(source, text, *page) for source, text in lists],
        page,
    )


def read_filtered(lists: Sequence[ProductQuerySet], page: Page) -> list[Any]:
    """As ``read_merged``, for lists with filters, which are not compiled. One query."""
    pages = [cut(products, page) for products in lists if not products.query.is_empty()]
    if len(pages) < 2:
        return list(pages[0]) if pages else []
    return _merged([statement_of(rows) for rows in pages], page)


def _merged(branches: Sequence[Statement[Any]], page: Page) -> list[Any]:
    # Django cannot write a branch with its own limit for SQLite.
    union = " UNION ALL ".join(
        f"SELECT * FROM ({branch.sql}) AS list_{number}"  # noqa: S608
        for number, branch in enumerate(branches)
    )
    order = ", ".join(
        f"{name.lstrip('-')} {'DESC' if name.startswith('-') else 'ASC'}" for name in page.keyset
    )
    merged = branches[0]._replace(
        sql=f"{union} ORDER BY {order} LIMIT {page.limit:d}",
        parameters=[value for branch in branches for value in branch.parameters],
    )
    return merged.rows()


@compiled
def _one(product_id: int) -> QuerySet[Any, Any]:
    return as_rows(
        Product.objects.filter(pk=product_id),
        "gallery",
        "seller_id",
        "payment_mpesa_number",
        "listed",
    )


def read_product(product_id: int) -> Any | None:
    """The row of one product, listed or not; None if there is none.

    It includes ``gallery``, ``seller_id``, ``payment_mpesa_number`` and ``listed``.
    """
    rows = _one(product_id)
    return rows[0] if rows else None


def read_gallery(product_id: int) -> str:
    """The pictures of a product, as JSON written by ``Pictures``. One query."""
    row = as_rows(Product.objects.filter(pk=product_id), columns=("gallery",)).get()
    return str(row.gallery)


@compiled
def read_cart(ids: Sequence[int], columns: Fixed[tuple[str, ...]] = COLUMNS) -> QuerySet[Any, Any]:
    """The rows of the listed products among these ids, in any order. At most one query."""
    return as_rows(Product.objects.listed().filter(pk__in=ids), columns=columns)
