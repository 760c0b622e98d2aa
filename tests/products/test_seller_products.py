"""A seller's own list of products."""

import pytest

from products import stock
from products.models import Product, StockMovement
from products.stock import StockLine
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory

from .conftest import hide, names, sell_out, walk
from .test_detail import FIELDS

MINE = "/seller/products/"


def test_a_seller_sees_how_their_stock_stands(seller_api, kettle):
    line = [StockLine(kettle.pk, 2)]
    stock.hold(line)
    stock.take(line, reference="order:1")
    stock.hold([StockLine(kettle.pk, 1)])

    row = seller_api.get(MINE).json()[0]

    assert row.keys() - FIELDS == {
        "payment_mpesa_number", "sku", "on_shelf", "held", "free", "sold", "listed",
        "pictures",
    }  # fmt: skip
    told = {name: row[name] for name in ("item_number", "on_shelf", "held", "free", "sold")}
    assert told == {"item_number": 3, "on_shelf": 3, "held": 1, "free": 2, "sold": 2}
    assert (row["listed"], row["payment_mpesa_number"]) == (True, "254722000000")


def test_returned_units_do_not_count_as_sold(seller_api, kettle):
    line = StockLine(kettle.pk, 2)
    stock.hold([line])
    stock.take([line], reference="order:1")
    stock.return_goods(line, reference="return:1")
    stock.return_goods(line, reference="return:1")

    row = seller_api.get(MINE).json()[0]

    assert (row["sold"], row["on_shelf"]) == (0, 5)


def test_the_list_is_newest_first_with_what_was_taken_off_and_nobody_elses(seller_api, seller):
    ProductFactory(name="Somebody else's")
    hide(ProductFactory(seller=seller, name="Old and hidden"))
    sell_out(ProductFactory(seller=seller, name="Sold out"))
    ProductFactory(seller=seller, name="New")

    assert names(seller_api.get(MINE)) == ["New", "Sold out", "Old and hidden"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("listed=true", ["Steel pot", "Iron pan"]),
        ("listed=false", ["Clay pot"]),
        ("soldout=true", ["Iron pan"]),
        ("soldout=false", ["Steel pot", "Clay pot"]),
        ("search=pot", ["Steel pot", "Clay pot"]),
        ("search=POTS&listed=true", ["Steel pot"]),
        ("search=ste", ["Steel pot"]),
        ("search=%25", ["Steel pot", "Iron pan", "Clay pot"]),
        ("sku=P-1", ["Iron pan"]),
        ("sku=p-1", []),
    ],
)
def test_a_seller_narrows_their_list(seller_api, seller, query, found):
    hide(ProductFactory(seller=seller, name="Clay pot"))
    sell_out(ProductFactory(seller=seller, name="Iron pan", sku="P-1"))
    ProductFactory(seller=seller, name="Steel pot")

    assert names(seller_api.get(f"{MINE}?{query}")) == found


@pytest.mark.parametrize(
    "query", ["listed=yes", "soldout=1", "listed=true&listed=false", "sku=" + "a" * 41,
              "search=" + "a" * 101, "cursor=x", "page_size=0"],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_a_400_on_its_name(seller_api, query):
    response = seller_api.get(f"{MINE}?{query}")

    assert response.status_code == 400
    assert list(response.json()) == [query.split("=")[0]]


def test_pages_follow_one_another_and_keep_the_filter(seller_api, seller):
    made = [ProductFactory(seller=seller).pk for _ in range(5)]
    hide(ProductFactory(seller=seller))

    pages = walk(seller_api, f"{MINE}?page_size=2&listed=true")

    assert [[row["id"] for row in page] for page in pages] == [
        made[:2:-1], made[2:0:-1], made[:1],
    ]  # fmt: skip


def test_the_list_costs_two_queries_for_one_or_many(seller_api, seller, django_assert_num_queries):
    for _ in range(9):
        ProductFactory(seller=seller)

    # caller; products
    with django_assert_num_queries(2):
        assert len(seller_api.get(f"{MINE}?listed=true&search=kettle").json()) == 9


def test_a_stranger_sees_nobodys_list(api, kettle):
    assert api.get(MINE).status_code == 401


def test_a_user_without_products_gets_an_empty_list(kettle):
    assert signed_in(UserFactory()).get(MINE).json() == []


def test_a_listing_is_the_shape_that_is_described(seller_api, kettle):
    from products.listings.serializers import ListingOutput

    assert list(seller_api.get(MINE).json()[0]) == list(ListingOutput().fields)


def test_the_movement_of_a_new_listing_says_who(seller_api, seller, offer):
    seller_api.post("/create/", {**offer, "sku": " K-1 "}, format="json")

    assert StockMovement.objects.get().actor == seller
    assert Product.objects.get().sku == "K-1"


def test_a_sku_is_one_listings_of_a_seller(seller_api, offer):
    first = seller_api.post("/create/", {**offer, "sku": "K-1"}, format="json")
    second = seller_api.post("/create/", {**offer, "sku": "K-1"}, format="json")

    assert first.status_code == 201
    assert second.status_code == 400
    assert second.json() == {"sku": ["Another listing of yours has this sku."]}
    assert Product.objects.count() == 1


def test_two_sellers_may_use_the_same_sku_and_listings_may_have_none(seller_api, offer):
    other = signed_in(UserFactory())

    for client, sku in ((seller_api, "K-1"), (other, "K-1"), (seller_api, ""), (seller_api, None)):
        response = client.post("/create/", {**offer, "sku": sku}, format="json")
        assert response.status_code == 201, response.json()
