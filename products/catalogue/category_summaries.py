"""The number of products for sale by category and by seller: reading it, and adding up changes."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F, IntegerField, Model, OuterRef, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from products.models import Category, CategoryListingCount, ListingCountChange, SellerListingCount

#: The display names of categories.
LABELS = {
    Category.ELECTRONICS: {"en": "Electronics", "sw": "Vifaa vya umeme"},
    Category.FURNITURE: {"en": "Furniture", "sw": "Samani"},
    Category.FASHIONS: {"en": "Fashion", "sw": "Mitindo"},
    Category.COMPUTING: {"en": "Computing", "sw": "Kompyuta"},
    Category.GAMING: {"en": "Gaming", "sw": "Michezo ya video"},
    Category.KITCHEN: {"en": "Kitchen", "sw": "Jikoni"},
    Category.PHONES: {"en": "Phones & tablets", "sw": "Simu na tableti"},
    Category.SPORTS: {"en": "Sports", "sw": "Michezo"},
}
#: How many changes are added up at a time.
BATCH = 2000
#: How many of a category's newest products are searched for a picture.
_LOOKED_AT = 25


class CategorySummary(NamedTuple):
    """A category, with its current number of products for sale."""

    category: str
    for_sale: int
    #: The stored file name of its newest picture; empty without one.
    thumbnail: str


@cache
def _statement() -> str:
    wanted = ", ".join(["(%s)"] * len(LABELS))
    return f"""
        WITH wanted (category) AS (VALUES {wanted})
        SELECT wanted.category,
            coalesce(total.for_sale, 0) + coalesce(pending.change, 0),
            coalesce((
                SELECT newest.thumbnail FROM (
                    SELECT id, thumbnail FROM products_product
                    WHERE listed AND NOT soldout AND category = wanted.category
                    ORDER BY (-id) LIMIT {_LOOKED_AT}
                ) AS newest
                WHERE newest.thumbnail <> '' ORDER BY newest.id DESC LIMIT 1
            ), '')
        FROM wanted
        LEFT JOIN products_categoryshelf AS total ON total.category = wanted.category
        LEFT JOIN (
            SELECT category, sum(change) AS change FROM products_shelfmove GROUP BY category
        ) AS pending ON pending.category = wanted.category
    """  # noqa: S608


def read_category_summaries() -> list[CategorySummary]:
    """Every category, in the order of ``Category``. One query, without counting rows."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), list(LABELS))
        summaries = {
            category: CategorySummary(category, int(for_sale), thumbnail)
            for category, for_sale, thumbnail in cursor.fetchall()
        }
    return [summaries[category] for category in LABELS]


def for_sale_of_seller() -> Combinable:
    """An expression for a queryset of sellers: how many of their products are for sale."""
    totals = SellerListingCount.objects.filter(seller=OuterRef("pk")).values("for_sale")
    return Coalesce(Subquery(totals), 0) + _pending_changes("seller", OuterRef("pk"))


def _pending_changes(by: str, key: OuterRef) -> Coalesce:
    changes = ListingCountChange.objects.filter(**{by: key}).order_by().values(by)
    return Coalesce(
        Subquery(changes.annotate(pending=Sum("change")).values("pending")),
        0,
        output_field=IntegerField(),
    )


@transaction.atomic
def apply_listing_count_changes() -> int:
    """Add the oldest pending changes to their totals and return how many there were.

    Safe to repeat and to run concurrently. Totals are updated in key order, so that two concurrent
    runs cannot deadlock.
    """
    waiting = ListingCountChange.objects.select_for_update(skip_locked=True).order_by("pk")
    pending = list(waiting[:BATCH])
    if not pending:
        return 0
    categories: Counter[Any] = Counter()
    sellers: Counter[Any] = Counter()
    for each in pending:
        categories[each.category] += each.change
        sellers[each.seller_id] += each.change
    _add(CategoryListingCount, "category", categories)
    _add(SellerListingCount, "seller_id", sellers)
    ListingCountChange.objects.filter(pk__in=[each.pk for each in pending]).delete()
    return len(pending)


def _add(model: type[Model], key: str, changes: Counter[Any]) -> None:
    rows = model._default_manager
    keys = sorted(changes)
    rows.bulk_create([model(**{key: each}) for each in keys], ignore_conflicts=True)
    for each in keys:
        if changes[each]:
            rows.filter(pk=each).update(for_sale=F("for_sale") + changes[each])
