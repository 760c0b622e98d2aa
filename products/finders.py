"""How products are found in the admin, in its search and in their list."""

from __future__ import annotations

from accounts.backoffice.formats import Tone, badge, kes
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import NEWEST, list_of
from accounts.backoffice.search import Found, Typed, finder, first_of
from accounts.models import User

from .catalogue.search import (
    Unindexed,
    Within,
    having,
    having_dated,
    is_common_in_names,
    named,
    query_for,
    stop_words_in,
    way_to,
    word_forms,
)
from .models import Product, ProductQuerySet

#: To look for what begins with fewer letters costs most, and finds anything.
_FEWEST = 3


def is_id(term: str) -> bool:
    """Whether what was typed may be a row's number."""
    return term.isascii() and term.isdecimal() and len(term) <= 18


def ids_by_words(products: ProductQuerySet, groups: list[list[str]], most: int) -> list[int]:
    """The ids of the newest products with these words, ``most`` of them. Four queries at most.

    Where a word is in many they are looked for among the latest products first (search.Way).
    """
    query = query_for(groups)
    way = way_to(query)
    newest = "-pk" if way.is_walk else Unindexed("id").desc()
    for reach in way.reaches:
        lately = having_dated(products, query).filter(Within(reach, None)).order_by(newest)
        found = list(lately.values_list("pk", flat=True)[:most])
        if len(found) == most:
            return found
    return list(having(products, query).order_by(newest).values_list("pk", flat=True)[:most])


def beginnings(term: str) -> list[list[str]]:
    """The words of what was typed, each as the beginning of one."""
    return [[f"{each}*" for each in forms] for forms in word_forms(term)]


def _tell(product: Product, viewer: User) -> tuple[str, ...]:
    listed = badge("listed", Tone.GOOD) if product.listed else badge("not listed", Tone.QUIET)
    left = f"{product.item_number - product.held} free of {product.item_number}"
    return str(product.pk), listed, kes(product.price), left, link_to(product.seller, viewer)


@finder(
    "Products",
    by=("words of a product’s name", "a product’s number", "a seller’s user name"),
    permissions=("products.view_product",),
    headings=("Product", "Number", "Shown", "Price", "In stock", "Seller"),
    tell=_tell,
    place=30,
)
def find_products(typed: Typed, viewer: User) -> Found:
    """By their number; by their seller, for who finds no people; by words of theirs."""
    if typed.phone:
        return Found()
    products = Product.objects.select_related("seller")
    if is_id(typed.text):
        return first_of(products.filter(pk=int(typed.text)))
    all_of_them = list_of(Product, "All of these products", q=typed.text)
    if not viewer.has_perm("accounts.view_user") and User.objects.called(typed.text).exists():
        return first_of(products.sold_by(typed.text).order_by("-pk"), all_of_them)
    found = _named(typed.text)
    rows = products.in_bulk(found[:NEWEST])
    return Found(
        [rows[pk] for pk in found[:NEWEST] if pk in rows],
        all_of_them if len(found) > NEWEST else None,
    )


def _named(text: str) -> list[int]:
    """The newest products with all words; where none has them, those with words that begin so."""
    whole = word_forms(text)
    products = Product.objects.all()
    if not whole:
        stop_words = stop_words_in(text)
        walks = is_common_in_names(stop_words)
        rows = named(products, stop_words).order_by("-pk" if walks else Unindexed("id").desc())
        return list(rows.values_list("pk", flat=True)[: NEWEST + 1]) if stop_words else []
    found = ids_by_words(products, whole, NEWEST + 1)
    if found or min(len(each) for forms in whole for each in forms) < _FEWEST:
        return found
    return ids_by_words(products, beginnings(text), NEWEST + 1)
