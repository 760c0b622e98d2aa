"""Finding products in the admin: in its search and in the list of products."""

from __future__ import annotations

from accounts.backoffice.formats import Tone, badge, kes
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import NEWEST, list_of
from accounts.backoffice.search import Found, Typed, finder, first_of
from accounts.models import User

from .catalogue.search import (
    ENOUGH,
    AmongLatest,
    Unindexed,
    having,
    having_dated,
    is_common_in_names,
    named,
    plan_for,
    query_for,
    stop_words_in,
    word_forms,
)
from .models import Product, ProductQuerySet

#: Searching by shorter beginnings of words is the most expensive, and matches too much.
_FEWEST = 3


def is_id(term: str) -> bool:
    """Whether the search term may be a row's id."""
    return term.isascii() and term.isdecimal() and len(term) <= 18


def ids_by_words(products: ProductQuerySet, groups: list[list[str]], most: int) -> list[int]:
    """The ids of the newest products with these words, at most ``most``. At most four queries.

    If one of the words is common, the latest products are searched first (``SearchPlan``), unless
    ``most`` is more than they can have.
    """
    query = query_for(groups)
    plan = plan_for(query)
    newest = "-pk" if plan.is_scan else Unindexed("id").desc()
    for reach in plan.reaches if most <= ENOUGH else ():
        lately = having_dated(products, query).filter(AmongLatest(reach, None)).order_by(newest)
        found = list(lately.values_list("pk", flat=True)[:most])
        if len(found) == most:
            return found
    return list(having(products, query).order_by(newest).values_list("pk", flat=True)[:most])


def ids_named(
    products: ProductQuerySet, text: str, most: int, *, fewest: int = 1
) -> list[int] | None:
    """The ids of the newest products with all these words. None if ``text`` has no words.

    If there are none, words are matched by their beginnings, unless one has fewer letters than
    ``fewest``. Whole words come first because they are faster: in a million products
    ``kettle small`` takes 40 ms by whole words, and 180 ms by beginnings, for which PostgreSQL
    reads every entry of every matching word.
    """
    whole = word_forms(text)
    if not whole:
        return _ids_by_stop_words(products, stop_words_in(text), most)
    ids = ids_by_words(products, whole, most)
    if ids or min(len(each) for forms in whole for each in forms) < fewest:
        return ids
    return ids_by_words(products, [[f"{each}*" for each in forms] for forms in whole], most)


def _ids_by_stop_words(
    products: ProductQuerySet, stop_words: list[str], most: int
) -> list[int] | None:
    if not stop_words:
        return None
    newest = "-pk" if is_common_in_names(stop_words) else Unindexed("id").desc()
    rows = named(products, stop_words).order_by(newest)
    return list(rows.values_list("pk", flat=True)[:most])


def _describe(product: Product, viewer: User) -> tuple[str, ...]:
    listed = badge("listed", Tone.GOOD) if product.listed else badge("not listed", Tone.QUIET)
    left = f"{product.item_number - product.held} free of {product.item_number}"
    return str(product.pk), listed, kes(product.price), left, link_to(product.seller, viewer)


@finder(
    "Products",
    by=("words of a product’s name", "a product’s number", "a seller’s user name"),
    permissions=("products.view_product",),
    headings=("Product", "Number", "Shown", "Price", "In stock", "Seller"),
    cells=_describe,
    place=30,
)
def find_products(typed: Typed, viewer: User) -> Found:
    """Find products by id, by words of their name, or by their seller.

    By seller only for staff who may not search for people.
    """
    if typed.phone:
        return Found()
    products = Product.objects.select_related("seller")
    if is_id(typed.text):
        return first_of(products.filter(pk=int(typed.text)))
    all_of_them = list_of(Product, "All of these products", q=typed.text)
    if not viewer.has_perm("accounts.view_user") and User.objects.called(typed.text).exists():
        return first_of(products.sold_by(typed.text).order_by("-pk"), all_of_them)
    found = ids_named(Product.objects.all(), typed.text, NEWEST + 1, fewest=_FEWEST) or []
    rows = products.in_bulk(found[:NEWEST])
    return Found(
        [rows[pk] for pk in found[:NEWEST] if pk in rows],
        all_of_them if len(found) > NEWEST else None,
    )
