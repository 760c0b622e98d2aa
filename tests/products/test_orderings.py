"""Ordering lists by stars, sales and relevance, filtering them, and choosing fields."""

import re
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from products.catalogue import queries
from products.catalogue.filters import ORDERS
from products.catalogue.representation import LIST_FIELDS
from products.models import Product

from .conftest import names, next_page, sell_out, walk
from .test_lists import _plan

BOTH = pytest.mark.parametrize("start", ["/product/kitchen/", "/product/search/"])


@pytest.fixture
def kettles(listing):
    """Five kettles: by stars Best, Good, New, Fair, None; by sales None, New, Best, Good, Fair."""
    made = {}
    for name, stars, reviews, sold in (
        ("Best", 49, 10, 60),
        ("Good", 9, 2, 55),
        ("Fair", 7, 2, 0),
        ("None", 0, 0, 1279),
        ("New", 4, 1, 99),
    ):
        made[name] = listing(name)
        Product.objects.filter(pk=made[name].pk).update(
            review_stars=stars, review_count=reviews, sold=sold
        )
    return made


@BOTH
@pytest.mark.parametrize(
    ("ordering", "shown"),
    [
        ("stars", ["Best", "Good", "New", "Fair", "None"]),
        ("-stars", ["Best", "Good", "New", "Fair", "None"]),
        ("best-selling", ["None", "New", "Best", "Good", "Fair"]),
        ("-sold", ["None", "New", "Best", "Good", "Fair"]),
    ],
)
def test_a_list_is_ordered_best_first(api, kettles, start, ordering, shown):
    assert names(api.get(start, {"ordering": ordering})) == shown


def test_of_the_same_stars_more_reviews_come_first(api, listing):
    for name, count in (("Two", 2), ("Nine", 9), ("One", 1)):
        Product.objects.filter(pk=listing(name).pk).update(
            review_stars=5 * count, review_count=count
        )

    assert names(api.get("/product/kitchen/?ordering=stars")) == ["Nine", "Two", "One"]


@pytest.mark.parametrize(
    ("sold", "rank"),
    [(0, 0), (99, 99), (100, 100), (109, 100), (1279, 1200), (98_765, 98_000), (4_000_000, 10**6)],
)
def test_the_sales_rank_has_two_significant_digits(listing, sold, rank):
    product = listing()
    Product.objects.filter(pk=product.pk).update(sold=sold)

    assert Product.objects.values_list("sold_rank", flat=True).get() == rank


@BOTH
@pytest.mark.parametrize(
    ("least", "shown"),
    [("4.9", {"Best"}), ("4.5", {"Best", "Good"}), ("4", {"Best", "Good", "New"}), ("5", set())],
)
def test_stars_narrow_a_list_by_what_is_shown(api, kettles, start, least, shown):
    assert set(names(api.get(start, {"min_stars": least}))) == shown


@BOTH
@pytest.mark.parametrize("typed", ["0", "6", "4.55", "-1", "５", "4,5", "NaN", " 4", "five"])
@pytest.mark.django_db
def test_stars_that_cannot_be_are_refused(api, start, typed):
    response = api.get(start, {"min_stars": typed})

    assert (response.status_code, response.json()) == (
        400,
        {"min_stars": ["Give 1 to 5 stars, like 4 or 4.5."]},
    )


@BOTH
@pytest.mark.django_db
def test_a_range_with_nothing_in_it_is_refused(api, start):
    response = api.get(start, {"min_price": 500, "max_price": 499})

    assert (response.status_code, response.json()) == (
        400,
        {"min_price": ["The lowest price (KES 500) is above the highest (KES 499)."]},
    )


@BOTH
@pytest.mark.django_db
def test_an_unknown_parameter_is_refused_and_told_what_there_is(api, start):
    (said,) = api.get(start, {"colour": "red", "utm_source": "x"}).json()["colour"]

    assert said.startswith("There is no such parameter here. There are: ")
    assert {"min_stars", "ordering", "cursor", "fields"} < set(re.findall("[a-z_]+", said))


@BOTH
@pytest.mark.django_db
def test_a_page_number_is_told_how_pages_are_walked(api, start):
    response = api.get(start, {"page": 2})

    assert response.status_code == 400
    assert response.json()["page"][0].startswith(
        "Pages have no numbers: the Link header of each has the address of the next."
    )


@BOTH
@pytest.mark.django_db
def test_an_unknown_order_is_told_what_there_is(api, start):
    (said,) = api.get(start, {"ordering": "cheapest"}).json()["ordering"]

    assert said.startswith("“cheapest” is none of: ")
    assert said.endswith("newest, price, -price, stars, best-selling.")


@pytest.mark.parametrize(
    "asked",
    [
        "category=phones",
        "category=PHONES",
        "category=phonestablet",
        "category=phones&category=Phones",
    ],
)
def test_a_search_is_narrowed_to_a_category(api, listing, asked):
    listing("Kettle")
    listing("Tecno", category="phones")

    assert names(api.get(f"/product/search/?{asked}")) == ["Tecno"]
    assert names(api.get(f"/product/search/?search=tecno&{asked}")) == ["Tecno"]
    assert names(api.get(f"/product/search/?search=kettle&{asked}")) == []


@pytest.mark.parametrize("ordering", ["newest", "price", "-price", "stars", "best-selling"])
def test_several_categories_are_one_list_page_by_page(api, listing, ordering):
    made = []
    for number in range(9):
        category = ["phones", "kitchen", "sports"][number % 3]
        made.append(listing(f"Thing {number}", category=category, price=100 + number * 7 % 5))
    sell_out(made[0])
    address = f"/product/search/?category=kitchen,phones&page_size=2&ordering={ordering}"

    rows = [row for page in walk(api, address) for row in page]

    keys = {
        "newest": lambda row: -row["id"],
        "price": lambda row: (row["price"], row["id"]),
        "-price": lambda row: (-row["price"], -row["id"]),
        "stars": lambda row: -row["id"],
        "best-selling": lambda row: -row["id"],
    }
    assert [row["category"] for row in rows].count("sports") == 0
    assert len(rows) == 6
    assert rows == sorted(rows, key=keys[ordering])
    narrowed = [row for page in walk(api, f"{address}&min_price=1") for row in page]
    assert narrowed == rows


def test_several_categories_cost_one_query(api, listing, django_assert_num_queries):
    listing("Kettle")

    # the page of all three
    with django_assert_num_queries(1):
        api.get("/product/search/?category=kitchen,phones,sports&min_price=1&ordering=stars")


def test_sold_out_products_can_be_left_out_of_a_category_in_a_search(api, listing):
    sell_out(listing("Sold"))
    listing("Free")

    assert names(api.get("/product/search/?category=kitchen")) == ["Free", "Sold"]
    assert names(api.get("/product/search/?category=kitchen&in_stock=true")) == ["Free"]
    assert names(api.get("/product/search/?category=kitchen&in_stock=false")) == ["Sold"]


@pytest.mark.django_db
def test_an_unknown_category_in_a_search_is_told_what_there_is(api):
    assert api.get("/product/search/?category=phones,cars").json() == {
        "category": [
            "“cars” is none of: electronics, furniture, fashions, computing, gaming, kitchen,"
            " phones, sports."
        ]
    }


def test_products_with_the_words_in_their_name_are_most_relevant(api, listing):
    listing("Steel kettle")
    listing("Stand", description="For a steel kettle.")
    listing("Blue kettle", description="Not of steel.")
    listing("Kettle of steel")
    address = "/product/search/?search=steel kettle&ordering=relevance&page_size=1"

    pages = walk(api, address)

    assert [page[0]["name"] for page in pages] == [
        "Kettle of steel", "Steel kettle", "Blue kettle", "Stand",
    ]  # fmt: skip


def test_without_words_the_nearest_are_the_newest(api, listing):
    listing("A")
    listing("B")

    assert names(api.get("/product/search/?ordering=relevance")) == ["B", "A"]


@pytest.mark.django_db
def test_a_category_cannot_be_ordered_by_relevance(api):
    assert api.get("/product/kitchen/?ordering=relevance").status_code == 400


def test_a_corrected_word_is_reported_in_a_header(api, listing):
    listing("Ramtons kettle")
    listing("Самовар")

    assert api.get("/product/search/?search=ramtons ketle")["Search-Corrected"] == "ramtons kettle"
    assert api.get("/product/search/?search=самовр")["Search-Corrected"] == quote("самовар")
    for right in ("kettle", "kettles", "ramto", "", "zzzzzzzz"):
        assert "Search-Corrected" not in api.get("/product/search/", {"search": right})


@pytest.mark.parametrize("address", ["/product/kitchen/", "/product/search/?search=kettle"])
def test_rows_are_as_light_as_they_are_asked_for(api, kettle, address):
    joint = "&" if "?" in address else "?"

    rows = api.get(f"{address}{joint}fields=price,id,available").json()

    assert rows == [{"price": kettle.price, "id": kettle.pk, "available": 5}]


@pytest.mark.parametrize("field", LIST_FIELDS)
def test_each_field_alone_is_as_in_the_whole(api, kettle, field):
    whole = api.get(f"/product/{kettle.pk}/").json()

    assert api.get(f"/product/kitchen/?fields={field}").json() == [{field: whole[field]}]
    assert api.post(f"/cart/?fields={field}", [kettle.pk]).json() == [{field: whole[field]}]


def test_home_is_light_too(api, kettle):
    whole = api.get("/")
    light = api.get("/?fields=id,name")

    assert light.json()["kitchen"] == [{"id": kettle.pk, "name": kettle.name}]
    assert light["ETag"] != whole["ETag"]
    assert api.get("/").content == whole.content


@pytest.mark.parametrize("path", ["/", "/product/kitchen/", "/product/search/"])
@pytest.mark.django_db
def test_an_unknown_field_is_refused_with_a_list_of_fields(api, path):
    response = api.get(path, {"fields": "id,colour"})

    assert response.status_code == 400
    assert response.json()["fields"][0].startswith("“colour” is none of: id, name, image, ")


def test_descriptions_nobody_asked_for_are_not_read(api, kettle, django_assert_num_queries):
    with django_assert_num_queries(1) as captured:
        api.get("/product/kitchen/?fields=id,name")

    assert "description" not in captured[0]["sql"].split(" FROM ")[0]
    assert "products_productpicture" not in captured[0]["sql"]


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("source", "ordering", "index"),
    [
        (queries.on_sale, "stars", "product_category_stars"),
        (queries.on_sale, "best-selling", "product_category_best"),
        (queries.sold_out, "price", "product_soldout_price"),
        (queries.sold_out, "stars", "product_soldout_stars"),
        (queries.sold_out, "best-selling", "product_soldout_best"),
        (queries.everything, "stars", "product_stars"),
        (queries.everything, "best-selling", "product_best"),
    ],
)
def test_each_order_walks_an_index_that_has_it(source, ordering, index):
    page = queries.Page(ORDERS[ordering], [10**6, 10**6], 26)

    plan = _plan(queries.cut(source("kitchen"), page))

    assert index in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.postgres
@pytest.mark.django_db
def test_several_categories_are_sorted_by_the_page_and_no_more(listing):
    lists = [(source, category) for category in ("kitchen", "phones")
               for source in (queries.on_sale, queries.sold_out)]  # fmt: skip
    page = queries.Page(ORDERS["stars"], None, 26)
    for number in range(40):
        listing(f"Thing {number}", category=["kitchen", "phones"][number % 2])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    with CaptureQueriesContext(connection) as captured:
        rows = queries.read_merged(lists, page)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + captured[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert len(rows) == 26
    for index in ("product_category_stars", "product_soldout_stars"):
        assert index in plan
    # Only the rows of the limited scans are sorted.
    assert "Seq Scan on products_product" not in plan


def test_a_later_page_of_one_order_is_no_page_of_another(api, kettles):
    second = next_page(api.get("/product/kitchen/?ordering=stars&page_size=2"))

    assert names(api.get(second)) == ["New", "Fair"]
