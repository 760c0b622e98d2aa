"""The front page: the newest of six categories in one statement.

Each branch walks ``product_category_newest`` and stops after 25 rows. Django cannot write a
limited branch of a union for SQLite nor a lateral join for PostgreSQL, so the statement is put
together here, once per database.

PostgreSQL is told what this process remembers: a fingerprint of the rows' versions (who wrote them,
``xmin``, and where they lie, ``ctid``). It sends the rows only when one of them, or its seller, has
changed since. What is remembered is never shown without being asked about.
"""

from __future__ import annotations

import hashlib
from collections import namedtuple
from functools import cache
from typing import Any

import orjson
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.request import Request

from omachemainproj.api.renderers import write_json
from omachemainproj.compiled_queries import Statement, compiled
from omachemainproj.media import media_prefix
from products.models import Category, Newest, Product

from .queries import as_rows
from .representation import COLUMNS, ProductRepresentation

PER_CATEGORY = 25
_Row = namedtuple("_Row", COLUMNS)  # type: ignore[misc]
#: The six keys of the answer, and the category each shows.
SHELVES = {
    "electronics": Category.ELECTRONICS,
    "fashions": Category.FASHIONS,
    "kitchen": Category.KITCHEN,
    "computing": Category.COMPUTING,
    "gaming": Category.GAMING,
    "phonestablet": Category.PHONES,
}


@compiled
def _newest_of(category: str) -> QuerySet[Any, Any]:
    newest = Product.objects.on_sale().filter(category=category).order_by(Newest())
    return as_rows(newest)[:PER_CATEGORY]


def _statement() -> Statement[Any]:
    """For SQLite: a branch compiled by Django, six times, once per category."""
    branches = [_newest_of.statement(category) for category in SHELVES.values()]
    return branches[0]._replace(
        sql=" UNION ALL ".join(f"SELECT * FROM ({branch.sql})" for branch in branches),  # noqa: S608
        parameters=[value for branch in branches for value in branch.parameters],
    )


@cache
def _statement_unless_known() -> str:
    """For PostgreSQL: the fingerprint, and the rows as JSON unless it is the one given.

    It takes the fingerprint, and the categories twice.
    """
    newest = _newest_of.statement("").sql % "shelf.category"
    shelves = ", ".join(["(%s)"] * len(SHELVES))
    columns = ", ".join(f"front.{name}" for name in COLUMNS)
    # One plan for all six, in a fifth of the time that planning a union of them takes.
    return f"""
        SELECT now.fingerprint, CASE WHEN now.fingerprint = %s THEN NULL ELSE (
            SELECT coalesce(json_agg(json_build_array({columns})), '[]')::text
            FROM (
                SELECT newest.* FROM (VALUES {shelves}) AS shelf (category)
                CROSS JOIN LATERAL ({newest}) AS newest
            ) AS front
        ) END
        FROM (
            SELECT md5(coalesce(string_agg(concat_ws('.', newest.id, newest.xmin, newest.ctid, (
                SELECT concat_ws('.', seller.xmin, seller.ctid) FROM accounts_user AS seller
                WHERE seller.id = newest.seller_id
            )), ','), '')) AS fingerprint
            FROM (VALUES {shelves}) AS shelf (category)
            CROSS JOIN LATERAL (
                SELECT id, xmin, ctid, seller_id FROM products_product
                WHERE listed AND NOT soldout AND category = shelf.category
                ORDER BY (-id) LIMIT {PER_CATEGORY}
            ) AS newest
        ) AS now
    """  # noqa: S608


class HomePage:
    """The front page as it stood at one moment: under each key rows, newest first."""

    def __init__(self, rows: list[Any], fingerprint: str = "") -> None:
        self.fingerprint = fingerprint
        by_category: dict[str, list[Any]] = {category: [] for category in SHELVES.values()}
        for row in rows:
            by_category[row.category].append(row)
        for shelf in by_category.values():
            # Neither statement promises an order of the whole, though each branch came sorted.
            shelf.sort(key=lambda row: row.id, reverse=True)
        self.shelves = {key: by_category[category] for key, category in SHELVES.items()}
        self._written: dict[str, tuple[bytes, str]] = {}

    def written(self, request: Request | HttpRequest) -> tuple[bytes, str]:
        """The JSON with this request's addresses of pictures, and its ETag."""
        prefix = media_prefix(request)
        if prefix not in self._written:
            shape = ProductRepresentation(request)
            body = write_json({key: shape.products(rows) for key, rows in self.shelves.items()})
            if len(self._written) >= 8:  # hosts; a wildcard allows any number of them
                self._written = {}
            etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
            self._written[prefix] = (body, etag)
        return self._written[prefix]


#: The last page this process has read, by database.
_remembered: dict[str, HomePage] = {}


def home_page() -> HomePage:
    """The front page as it stands now. One query, however many products there are."""
    if connection.vendor != "postgresql":
        return HomePage(_statement().rows())
    known = _remembered.get(connection.alias)
    fingerprint = known.fingerprint if known else ""
    categories = SHELVES.values()
    with connection.cursor() as cursor:
        cursor.execute(_statement_unless_known(), [fingerprint, *categories, *categories])
        now, answer = cursor.fetchone()
    if known and answer is None:
        return known
    front = HomePage([_Row._make(row) for row in orjson.loads(answer)], now)
    _remembered[connection.alias] = front
    return front
