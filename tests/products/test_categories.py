"""The categories: their labels, and the number of products for sale in each."""

from pathlib import Path

import pytest
from django.db import connection, transaction

from products.catalogue import category_summaries
from products.catalogue.category_summaries import LABELS, apply_listing_count_changes
from products.demo.catalogue import CATALOGUE
from products.demo.pictures import _COLOURS
from products.models import (
    Category,
    CategoryListingCount,
    ListingCountChange,
    Product,
    SellerListingCount,
)
from products.shop.words import CATEGORY_NAMES, WORDS
from tests.factories import ProductFactory
from tests.threads import at_once

from .conftest import hide, sell_out


def for_sale(api):
    return {row["key"]: row["for_sale"] for row in api.get("/categories/").json()}


def test_every_category_is_called_something_in_both_languages(api, db):
    rows = api.get("/categories/").json()

    assert [row["key"] for row in rows] == Category.values
    assert all(row["labels"].keys() == {"en", "sw"} for row in rows)
    assert all(len(set(LABELS[each].values())) == 2 for each in Category)


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        ("sw", "Simu na tableti"),
        ("sw-KE,sw;q=0.9,en;q=0.5", "Simu na tableti"),
        ("en-GB,sw;q=0.9", "Phones & tablets"),
        ("fr,sw;q=0.3", "Simu na tableti"),
        ("*", "Phones & tablets"),
        ("nonsense;;q=x", "Phones & tablets"),
        ("", "Phones & tablets"),
    ],
)
def test_a_label_is_in_the_language_asked_for(api, db, asked, label):
    answer = api.get("/categories/", headers={"Accept-Language": asked})

    assert {row["key"]: row["label"] for row in answer.json()}["phones"] == label
    assert "Accept-Language" in answer["Vary"]


def test_a_category_counts_what_can_be_bought(api, listing):
    kettle = listing("Kettle")
    listing("Pan")
    listing("Sofa", category="furniture")
    before = for_sale(api)
    sell_out(kettle)
    sold_out = for_sale(api)
    Product.objects.filter(pk=kettle.pk).update(held=4)
    back = for_sale(api)
    hide(kettle)

    assert (before["kitchen"], before["furniture"], before["phones"]) == (2, 1, 0)
    assert (sold_out["kitchen"], back["kitchen"], for_sale(api)["kitchen"]) == (1, 2, 1)


def test_a_product_moved_to_another_category_is_counted_there(api, listing):
    kettle = listing("Kettle")
    Product.objects.filter(pk=kettle.pk).update(category="sports")

    counted = for_sale(api)

    assert (counted["kitchen"], counted["sports"]) == (0, 1)


def test_a_hold_that_sells_nothing_out_is_no_move(listing):
    kettle = listing("Kettle", item_number=5)
    ListingCountChange.objects.all().delete()

    Product.objects.filter(pk=kettle.pk).update(held=4)

    assert not ListingCountChange.objects.exists()


def test_adding_moves_up_changes_no_count(api, listing):
    listing("Kettle")
    sell_out(listing("Pan"))
    listing("Sofa", category="furniture", seller="baraka")
    before = for_sale(api)

    # three came, one went
    assert apply_listing_count_changes() == 4
    assert apply_listing_count_changes() == 0
    assert for_sale(api) == before
    assert dict(CategoryListingCount.objects.values_list("category", "for_sale")) == {
        "kitchen": 1,
        "furniture": 1,
    }
    assert sorted(SellerListingCount.objects.values_list("for_sale", flat=True)) == [1, 1]


def test_a_sellers_page_counts_what_can_be_bought_of_them(api, listing):
    listing("Kettle", seller="amina")
    apply_listing_count_changes()
    sell_out(listing("Pan", seller="amina"))
    listing("Cup", seller="amina")
    listing("Sofa", seller="baraka")

    assert api.get("/seller/amina/").json()["goods"] == 2


def test_the_newest_picture_of_a_category_is_shown(api, listing):
    first, second = listing("Kettle"), listing("Pan")
    listing("Cup")
    sold_out = listing("Pot")
    for product, name in ((first, "a"), (second, "b"), (sold_out, "c")):
        Product.objects.filter(pk=product.pk).update(thumbnail=f"products/{name}.thumb.webp")
    sell_out(sold_out)

    shown = {row["key"]: row["thumbnail"] for row in api.get("/categories/").json()}

    assert shown["kitchen"] == "http://testserver/media/products/b.thumb.webp"
    assert shown["phones"] is None


def test_the_categories_are_one_query_and_count_no_product(api, listing, django_assert_num_queries):
    listing("Kettle")

    with django_assert_num_queries(1) as captured:
        api.get("/categories/")

    assert "count(" not in captured[0]["sql"].lower()


def test_home_keeps_its_six_keys(api, listing):
    listing("Kettle")

    assert list(api.get("/").json()) == [
        "electronics", "fashions", "kitchen", "computing", "gaming", "phonestablet",
    ]  # fmt: skip


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_no_move_is_lost_or_counted_twice_while_clocks_and_sellers_are_at_work(seller, monkeypatch):
    monkeypatch.setattr(category_summaries, "BATCH", 3)
    goods = [ProductFactory(seller=seller) for _ in range(8)]

    def flicker(product):
        for held in (5, 0, 5):
            Product.objects.filter(pk=product.pk).update(held=held)

    def clock():
        while apply_listing_count_changes():
            pass

    errors = at_once(*[lambda p=p: flicker(p) for p in goods[:5]], clock, clock)
    clock()

    assert [error for error in errors if error is not None] == []
    assert CategoryListingCount.objects.get(pk="kitchen").for_sale == 3
    assert SellerListingCount.objects.get(pk=seller.pk).for_sale == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_orders_that_sell_out_in_other_orders_never_wait_for_one_another(seller):
    """This would deadlock if orders locked the totals as their products sell out."""
    goods = [ProductFactory(seller=seller, category=each) for each in ("kitchen", "phones") * 2]

    def sell(*products):
        with transaction.atomic():
            for product in products:
                sell_out(product)

    errors = at_once(lambda: sell(goods[0], goods[1]), lambda: sell(goods[3], goods[2]))

    assert [error for error in errors if error is not None] == []
    assert ListingCountChange.objects.filter(change=-1).count() == 4


@pytest.mark.django_db
def test_a_parameter_is_refused(api):
    assert api.get("/categories/?lang=sw").json() == {
        "lang": ["There is no such parameter here. There are none."]
    }


@pytest.mark.django_db
def test_the_triggers_are_there():
    """On SQLite, a migration that rebuilds the table drops its triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'products_shelf%'")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'products_shelf_%'")
        names = {name for (name,) in cursor.fetchall()} - {"products_shelfmove"}

    assert {name for name in names if "shelf_" in name} in (
        {"products_shelf_added", "products_shelf_changed"},
        {"products_shelf_added", "products_shelf_left", "products_shelf_joined"},
    )


WEBSITE = (Path(__file__).parents[2] / "storefront/src/catalogue/categories.ts").read_text()


@pytest.mark.parametrize("category", Category.values)
def test_a_category_is_named_everywhere_and_has_a_demo(category):
    assert LABELS[category].keys() == {"en", "sw"}
    assert category in CATEGORY_NAMES
    assert all(words[category] for words in WORDS.values())
    assert f"  {category}: msg" in WEBSITE
    assert (category in CATALOGUE, category in _COLOURS) == (True, True)
