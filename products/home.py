"""The front page: the newest of six categories in one statement.

Each branch walks ``product_category_newest`` and stops after 25 rows. Django cannot write a
limited branch of a union for SQLite, so the statement is put together here, once per database.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from django.db import connection

from .models import Category, Product
from .querysets import Newest

PER_CATEGORY = 25
#: The six keys of the answer, and the category each shows.
SHELVES = {
    "electronics": Category.ELECTRONICS,
    "fashions": Category.FASHIONS,
    "kitchen": Category.KITCHEN,
    "computing": Category.COMPUTING,
    "gaming": Category.GAMING,
    "phonestablet": Category.PHONES,
}
_CATEGORY, _ID = 5, 0


class _Statement(NamedTuple):
    sql: str
    parameters: tuple[Any, ...]
    #: How this database's values become Python's, by column; nothing to do on PostgreSQL.
    converters: dict[int, Any]


@cache
def _statement(vendor: str) -> _Statement:
    branches: list[str] = []
    parameters: list[Any] = []
    converters: dict[int, Any] = {}
    for number, category in enumerate(SHELVES.values()):
        newest = Product.objects.on_sale().filter(category=category)
        query = newest.order_by(Newest()).as_rows()[:PER_CATEGORY].query
        compiler = query.get_compiler(connection=connection)
        sql, branch_parameters = compiler.as_sql()
        branches.append(f"SELECT * FROM ({sql}) AS shelf_{number}")  # noqa: S608
        parameters.extend(branch_parameters)
        converters = compiler.get_converters([column for column, *_ in compiler.select])
    return _Statement(" UNION ALL ".join(branches), tuple(parameters), converters)


def newest_by_shelf() -> dict[str, list[tuple[Any, ...]]]:
    """Rows (products.rows.COLUMNS) of what is on sale, newest first, under the six keys.

    One query, at most 25 rows a key, the same cost however many products there are.
    """
    statement = _statement(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.parameters)
        rows: Iterable[Any] = cursor.fetchall()
    if statement.converters:
        rows = (
            Product.objects.all()
            .query.get_compiler(connection=connection)
            .apply_converters(rows, statement.converters)
        )
    by_category: dict[str, list[tuple[Any, ...]]] = {value: [] for value in SHELVES.values()}
    for row in rows:
        by_category[row[_CATEGORY]].append(tuple(row))
    for shelf in by_category.values():
        # A union promises no order between its rows, though each branch came sorted.
        shelf.sort(key=lambda row: row[_ID], reverse=True)
    return {key: by_category[category] for key, category in SHELVES.items()}
