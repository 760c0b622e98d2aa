"""Query plans on PostgreSQL: a page of many matches is found among the latest products."""

import re

import pytest
from django.db import connection

from products.catalogue import queries, search
from products.catalogue.queries import Page
from products.catalogue.search import SearchPlan, is_common_in_names, named, plan_for, query_for
from products.models import Product
from tests.factories import ProductFactory

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.usefixtures("never_analyzed"),
]

#: The first id of the newest range of 8,192 ids in a shop with a million products.
NEWEST = 122 << 13


def make(seller, start, names):
    """Products with these names, with ids from ``start`` on."""
    Product.objects.bulk_create(
        ProductFactory.build(id=start + number, seller=seller, name=name)
        for number, name in enumerate(names)
    )


@pytest.fixture
def million(seller, monkeypatch):
    """A shop with ids beyond a million: 60 old tubs, 60 in the previous range, 600 cups."""
    make(seller, 1, ["Old tub"] * 60)
    make(seller, NEWEST - 60, ["Blue tub"] * 60)
    make(seller, NEWEST, ["Cup"] * 600)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE products_product")
    # Any search records the size of the shop.
    monkeypatch.setattr(search, "_largest", 0)
    plan_for(query_for([["nowhere"]]))


def explain(rows):
    return rows.explain(analyze=True, costs=False, timing=False)


def test_a_word_of_the_latest_is_found_among_them(million):
    query = query_for([["tub"]])
    page = Page(("-id",), None, 26, indexed=False, reach=13)

    plan = explain(queries.cut(queries.found_lately(query), page))

    assert "Bitmap Index Scan on product_search_dated" in plan
    assert "Seq Scan" not in plan
    # Those of the previous range, and none of the sixty old ones.
    (read,) = re.findall(r"Bitmap Heap Scan on products_product \(actual rows=(\d+)", plan)
    assert int(read) == 60


def test_how_far_back_to_look_is_seen_in_the_latest(million, seller):
    assert plan_for(query_for([["cup"]])) == SearchPlan(is_scan=True)
    assert plan_for(query_for([["blue"]])) == SearchPlan(is_scan=False, reaches=(13, 16))
    assert plan_for(query_for([["old"]])) == SearchPlan(is_scan=False)
    Product.objects.filter(name="Blue tub").exclude(id__gte=NEWEST - 10).delete()
    assert plan_for(query_for([["blue"]])) == SearchPlan(is_scan=False, reaches=(16,))


def test_a_small_shop_collects_all_that_match(seller, monkeypatch):
    monkeypatch.setattr(search, "_largest", 0)
    make(seller, 1, ["Tub"] * 60 + ["Cup"] * 600)

    assert plan_for(query_for([["tub"]])) == SearchPlan(is_scan=False)


def test_pages_go_on_behind_the_latest_and_miss_nothing(million, api):
    ids, address = [], "/product/search/?search=tub&page_size=25&fields=id"
    while address:
        answer = api.get(address)
        ids += [row["id"] for row in answer.json()]
        following = re.search(r'<([^>]+)>; rel="next"', answer.get("Link", ""))
        address = following and following[1]

    assert ids == [*range(NEWEST - 1, NEWEST - 61, -1), *range(60, 0, -1)]


def test_a_filter_is_kept_to_among_the_latest(million, api):
    Product.objects.filter(id__gte=NEWEST - 40).update(price=77)

    rows = api.get("/product/search/?search=tub&max_price=77&fields=id,price").json()

    assert [row["id"] for row in rows] == list(range(NEWEST - 1, NEWEST - 26, -1))
    assert {row["price"] for row in rows} == {77}


def test_the_first_page_of_many_reads_no_more_than_the_latest(
    million, api, django_assert_num_queries
):
    # the search plan, the page
    with django_assert_num_queries(2) as asked:
        api.get("/product/search/?search=tub")

    assert "'~13.'" in asked.captured_queries[1]["sql"]


def test_rare_stop_words_are_read_in_an_index_of_their_own(million, seller):
    make(seller, 1000, ["Jerry can"] * 30)

    plan = explain(
        queries.cut(
            named(Product.objects.listed(), ["can"]), Page(("-id",), None, 26, indexed=False)
        )
    )

    assert "Bitmap Index Scan on product_stop_words" in plan
    assert "Seq Scan" not in plan
    assert not is_common_in_names(["can"])


def test_the_index_holds_what_is_asked_of_it():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indexrelid = 'product_search_dated'::regclass"
        )
        (definition,) = cursor.fetchone()

    for reach in search.REACHES:
        assert f"('~{reach}.'::text || (id >> {reach}))" in definition
