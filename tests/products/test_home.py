import time
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from omachemainproj.images import normalise_own
from products.catalogue import home
from products.catalogue.home import (
    CATEGORIES,
    HomePage,
    _postgresql_statement,
    _sqlite_statement,
    home_page,
)
from products.listings.services import edit_product
from products.models import Newest, Product, Round
from tests.conftest import signed_in
from tests.factories import ProductFactory
from tests.threads import at_once

from .conftest import hide, sell_out


def csv(text):
    return SimpleUploadedFile("goods.csv", text.encode(), content_type="text/csv")


KEYS = ["electronics", "fashions", "kitchen", "computing", "gaming", "phonestablet"]


@pytest.mark.django_db
def test_home_has_exactly_six_shelves_even_when_nothing_is_for_sale(api):
    response = api.get("/")

    assert response.status_code == 200
    assert response.json() == {key: [] for key in KEYS}


@pytest.mark.parametrize("key", KEYS)
def test_each_shelf_shows_its_own_category(api, listing, key):
    category = "phones" if key == "phonestablet" else key
    product = listing(category=category)

    shelves = api.get("/").json()

    assert {name: [row["id"] for row in rows] for name, rows in shelves.items()} == {
        **{name: [] for name in KEYS},
        key: [product.pk],
    }


@pytest.mark.parametrize("category", ["furniture", "sports"])
def test_home_leaves_out_the_two_categories_without_a_shelf(api, listing, category):
    listing(category=category)

    assert api.get("/").json() == {key: [] for key in KEYS}


def test_a_shelf_shows_the_newest_25_newest_first(api, seller):
    made = [ProductFactory(seller=seller).pk for _ in range(27)]

    shelf = api.get("/").json()["kitchen"]

    assert [row["id"] for row in shelf] == made[:1:-1]


@pytest.mark.long
def test_three_hundred_listings_of_one_seller_do_not_fill_a_shelf(api, seller):
    others = [ProductFactory().pk for _ in range(25)]
    rows = [f"Kettle {number},kitchen,1500,5,0712345678" for number in range(300)]
    sheet = "\n".join(["name,category,price,item_number,payment_mpesa_number", *rows])

    client = signed_in(seller)
    assert client.post("/seller/products/import/", {"file": csv(sheet)}, format="multipart").data

    shelf = api.get("/").json()["kitchen"]
    assert [row["user_name"] == seller.username for row in shelf] == [True] * 3 + [False] * 22
    assert [row["id"] for row in shelf[3:]] == others[:2:-1]


def test_one_seller_alone_still_fills_a_shelf(api, seller, listing):
    made = [listing(f"No {number}", seller=seller).pk for number in range(9)]

    assert [row["id"] for row in api.get("/").json()["kitchen"]] == made[::-1]


def test_everybodys_first_three_come_before_anybodys_next(api, listing):
    for seller in ("amina", "baraka"):
        for number in range(4):
            listing(f"{seller} {number}", seller=seller)

    chosen = Product.objects.order_by(Round(), Newest())
    assert [row.name for row in chosen[6:]] == ["baraka 3", "amina 3"]


def test_goods_listed_in_other_categories_and_moved_crowd_as_they_did(listing):
    moved = [listing(f"No {number}", category="sports") for number in range(5)][-1]

    edit_product(moved.pk, category="kitchen")

    moved.refresh_from_db()
    assert (moved.category, moved.crowding) == ("kitchen", 4)


@pytest.mark.parametrize(("hours", "crowding"), [(7, 6), (8, 5), (25, 3), (200, 0)])
def test_one_listing_fades_every_eight_hours(listing, seller, hours, crowding):
    then = timezone.now() - timedelta(hours=hours, minutes=1)
    last = ProductFactory(seller=seller, crowding=5)
    Product.objects.filter(pk=last.pk).update(created_at=then)

    assert listing("Another", seller=seller).crowding == crowding


def test_home_leaves_out_what_is_sold_out_or_unlisted(api, listing):
    sell_out(listing("Sold"))
    hide(listing("Hidden"))
    listing("Free")

    assert [row["name"] for row in api.get("/").json()["kitchen"]] == ["Free"]


def test_home_is_one_query(api, listing, django_assert_num_queries):
    for category in ("kitchen", "phones", "gaming"):
        listing(category=category, seller=category)

    # the six branches, their sellers' names included
    with django_assert_num_queries(1):
        api.get("/")


def test_home_needs_no_user_even_when_a_token_comes_along(
    seller_api, kettle, django_assert_num_queries
):
    with django_assert_num_queries(1):
        assert seller_api.get("/").status_code == 200


def test_a_bad_token_does_not_close_home(api, db):
    api.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    assert api.get("/").status_code == 200


def test_home_answers_304_while_nothing_has_changed(api, listing):
    listing()
    first = api.get("/")

    again = api.get("/", headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]
    assert first["Cache-Control"] == "no-cache"


def test_home_answers_in_full_once_something_has_changed(api, listing):
    listing("Kettle")
    first = api.get("/")
    listing("Jiko")

    again = api.get("/", headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]
    assert [row["name"] for row in again.json()["kitchen"]] == ["Jiko", "Kettle"]


def test_a_sale_changes_home(api, kettle):
    first = api.get("/")
    sell_out(kettle)

    assert api.get("/", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_the_homes_rows_have_pythons_types_on_every_database(listing):
    listing()

    row = home_page().products["kitchen"][0]

    assert row.soldout is False
    assert row.created.endswith("+00:00")


def test_home_answers_head_like_get(api, kettle):
    response = api.head("/")

    assert response.status_code == 200
    assert response["ETag"] == api.get("/")["ETag"]


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.django_db
def test_each_branch_of_home_walks_its_own_index():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sql, parameters = (
                _postgresql_statement(),
                ["", *CATEGORIES.values(), *CATEGORIES.values()],
            )
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute("EXPLAIN " + sql, parameters)
        else:
            statement = _sqlite_statement()
            cursor.execute("EXPLAIN QUERY PLAN " + statement.sql, statement.parameters)
        plan = "\n".join(str(row) for row in cursor.fetchall())

    # On PostgreSQL one for the fingerprint and one for the rows, each run six times.
    branches = 2 if connection.vendor == "postgresql" else 6
    assert plan.count("product_front") == branches


@pytest.mark.parametrize(
    "change",
    [
        {"held": 1},
        {"held": 5},
        {"price": 7},
        {"name": "Sufuria"},
        {"listed": False},
        {"category": "gaming"},
        {"review_stars": 9, "review_count": 2},
    ],
)
def test_home_never_shows_what_it_remembers_after_a_change(api, kettle, change):
    api.get("/")
    Product.objects.filter(pk=kettle.pk).update(**change)

    home = api.get("/").json()

    shown = [row for rows in home.values() for row in rows]
    assert shown == api.get("/product/search/?in_stock=true").json()


def test_a_seller_who_is_renamed_is_renamed_on_home(api, kettle, seller):
    api.get("/")
    type(seller).objects.filter(pk=seller.pk).update(username="asha")

    assert api.get("/").json()["kitchen"][0]["user_name"] == "asha"


def test_home_shows_each_host_its_own_addresses(api, listing, png, settings):
    settings.ALLOWED_HOSTS = ["one.example", "two.example"]
    listing(picture=normalise_own(png))

    for host in ("one.example", "two.example", "one.example"):
        home = api.get("/", headers={"Host": host}).json()
        assert home["kitchen"][0]["image"].startswith(f"http://{host}/media/products/")


def test_reading_home_again_is_one_query_too(api, kettle, django_assert_num_queries):
    api.get("/")

    with django_assert_num_queries(1):
        api.get("/")


@pytest.mark.postgres
def test_an_unchanged_home_is_not_read_again(kettle):
    first = home_page()

    assert home_page() is first
    Product.objects.filter(pk=kettle.pk).update(held=1)
    assert home_page() is not first


@pytest.mark.postgres
def test_a_process_asks_once_a_second_whether_the_home_page_has_changed(
    kettle, settings, django_assert_num_queries
):
    home_page()
    settings.HOME_MAX_AGE = 60

    with django_assert_num_queries(0):
        kept = home_page()

    settings.HOME_MAX_AGE = 0
    sell_out(kettle)
    assert [row.id for row in kept.products["kitchen"]] == [kettle.pk]
    assert home_page().products["kitchen"] == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_reads_the_home_page(kettle, settings, monkeypatch):
    settings.HOME_MAX_AGE = 60
    reads = []

    def read_slowly(known):
        reads.append(known)
        time.sleep(0.05)
        return home._cached.setdefault("default", page)

    page = HomePage([])
    page.asked_at = time.monotonic()
    monkeypatch.setattr(home, "_cached", {})
    monkeypatch.setattr(home, "_read", read_slowly)

    answers = at_once(*[home_page] * 8)

    assert answers == [page] * 8
    assert len(reads) == 1
