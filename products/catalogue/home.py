"""The home page: the newest products of six categories, in one statement.

A seller who lists hundreds at a time does not fill the page: every seller's first three come
before any seller's next three (``Round``). The chosen products are shown newest first.

Each branch scans ``product_front`` and stops after 25 rows. Django can write neither a limited
branch of a union for SQLite nor a lateral join for PostgreSQL, so the statement is built here,
once per database.

With PostgreSQL each process caches the page and serves it for ``HOME_MAX_AGE`` seconds without a
query. After that a single request refreshes it. It sends the fingerprint of the cached rows (each
row's ``xmin``, the transaction that wrote it, and ``ctid``, its location), and PostgreSQL returns
rows only if one of them, or its seller, has changed.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import namedtuple
from functools import cache
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.request import Request

from omachemainproj.api.renderers import write_json
from omachemainproj.compiled_queries import Statement, compiled
from omachemainproj.media import media_prefix
from products.models import Category, Newest, Product, Round

from .queries import as_rows
from .representation import COLUMNS, ProductRepresentation

PER_CATEGORY = 25
_Row = namedtuple("_Row", COLUMNS)  # type: ignore[misc]
#: The six keys of the response, and the category behind each.
CATEGORIES = {
    "electronics": Category.ELECTRONICS,
    "fashions": Category.FASHIONS,
    "kitchen": Category.KITCHEN,
    "computing": Category.COMPUTING,
    "gaming": Category.GAMING,
    "phonestablet": Category.PHONES,
}


@compiled
def _newest_of(category: str) -> QuerySet[Any, Any]:
    newest = Product.objects.on_sale().filter(category=category).order_by(Round(), Newest())
    return as_rows(newest)[:PER_CATEGORY]


def _sqlite_statement() -> Statement[Any]:
    """For SQLite: a union of one branch per category, each compiled by Django."""
    branches = [_newest_of.statement(category) for category in CATEGORIES.values()]
    return branches[0]._replace(
        sql=" UNION ALL ".join(f"SELECT * FROM ({branch.sql})" for branch in branches),  # noqa: S608
        parameters=[value for branch in branches for value in branch.parameters],
    )


@cache
def _postgresql_statement() -> str:
    """For PostgreSQL: the fingerprint, and the rows as JSON if it differs from the one given.

    The parameters are a fingerprint, then the categories twice.
    """
    newest = _newest_of.statement("").sql % "wanted.category"
    wanted = ", ".join(["(%s)"] * len(CATEGORIES))
    columns = ", ".join(f"front.{name}" for name in COLUMNS)
    # Planned in a fifth of the time that a union of six branches takes.
    return f"""
        SELECT now.fingerprint, CASE WHEN now.fingerprint = %s THEN NULL ELSE (
            SELECT coalesce(json_agg(json_build_array({columns})), '[]')::text
            FROM (
                SELECT newest.* FROM (VALUES {wanted}) AS wanted (category)
                CROSS JOIN LATERAL ({newest}) AS newest
            ) AS front
        ) END
        FROM (
            SELECT md5(coalesce(string_agg(concat_ws('.', newest.id, newest.xmin, newest.ctid, (
                SELECT concat_ws('.', seller.xmin, seller.ctid) FROM accounts_user AS seller
                WHERE seller.id = newest.seller_id
            )), ','), '')) AS fingerprint
            FROM (VALUES {wanted}) AS wanted (category)
            CROSS JOIN LATERAL (
                SELECT id, xmin, ctid, seller_id FROM products_product
                WHERE listed AND NOT soldout AND category = wanted.category
                ORDER BY (crowding / 3), (-id) LIMIT {PER_CATEGORY}
            ) AS newest
        ) AS now
    """  # noqa: S608


class HomePage:
    """The home page at one moment: at most 25 rows under each key, newest first."""

    def __init__(self, rows: list[Any], fingerprint: str = "") -> None:
        self.fingerprint = fingerprint
        #: When the database was last queried for it, in seconds of the monotonic clock.
        self.asked_at = 0.0
        by_category: dict[str, list[Any]] = {category: [] for category in CATEGORIES.values()}
        for row in rows:
            by_category[row.category].append(row)
        for products in by_category.values():
            # Chosen by round, shown newest first.
            products.sort(key=lambda row: row.id, reverse=True)
        self.products = {key: by_category[category] for key, category in CATEGORIES.items()}
        self._written: dict[Any, tuple[bytes, str]] = {}

    def written(
        self, request: Request | HttpRequest, fields: tuple[str, ...] | None = None
    ) -> tuple[bytes, str]:
        """The JSON, with picture addresses for this request's host, and its ETag.

        If ``fields`` are given, each product has only those.
        """
        wanted = (media_prefix(request), fields)
        if wanted not in self._written:
            represent = ProductRepresentation(request)
            body = write_json(
                {key: represent.products(rows, fields) for key, rows in self.products.items()}
            )
            # Clients can ask for any number of hosts and field lists.
            if len(self._written) >= 8:
                self._written = {}
            etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
            self._written[wanted] = (body, etag)
        return self._written[wanted]


#: The last home page this process has read, by database alias.
_cached: dict[str, HomePage] = {}
#: Held by the request that refreshes the page. The others wait for it for at most a second.
_refresh_lock = threading.Lock()


def home_page() -> HomePage:
    """The home page, at most ``HOME_MAX_AGE`` seconds old. At most one query."""
    if connection.vendor != "postgresql":
        return HomePage(_sqlite_statement().rows())
    if (known := _cached_page()) is not None:
        return known
    is_mine = _refresh_lock.acquire(timeout=1)
    try:
        return _cached_page() or _read(_cached.get(connection.alias))
    finally:
        if is_mine:
            _refresh_lock.release()


def _cached_page() -> HomePage | None:
    """The cached page, or None if it is too old."""
    known = _cached.get(connection.alias)
    is_fresh = known is not None and time.monotonic() < known.asked_at + settings.HOME_MAX_AGE
    return known if is_fresh else None


def _read(known: HomePage | None) -> HomePage:
    """The current page: ``known`` itself if nothing on it has changed. One query."""
    now, fingerprint = time.monotonic(), known.fingerprint if known else ""
    categories = CATEGORIES.values()
    with connection.cursor() as cursor:
        cursor.execute(_postgresql_statement(), [fingerprint, *categories, *categories])
        new_fingerprint, rows = cursor.fetchone()
    if known is None or rows is not None:
        known = HomePage([_Row._make(row) for row in orjson.loads(rows)], new_fingerprint)
    known.asked_at = now
    _cached[connection.alias] = known
    return known
