import pytest
from django.db import connection

from products.catalogue import queries
from products.catalogue.queries import as_rows
from products.models import Newest, Product
from tests.factories import ProductFactory

from .conftest import hide, names, next_page, sell_out

CATEGORIES = [
    "electronics",
    "furniture",
    "fashions",
    "computing",
    "gaming",
    "kitchen",
    "phones",
    "sports",
]


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_shows_its_own_products(api, listing, category):
    listing("Mine", category=category)
    listing("Another's", category="sports" if category != "sports" else "gaming")

    assert names(api.get(f"/product/{category}/")) == ["Mine"]


def test_phonestablet_is_another_name_for_phones(api, listing):
    listing("Tecno Spark", category="phones")

    assert names(api.get("/product/phonestablet/")) == ["Tecno Spark"]
    assert api.get("/product/phonestablet/").json()[0]["category"] == "phones"


@pytest.mark.parametrize("typed", ["KITCHEN", "Kitchen", "kitchen%20"])
def test_a_category_is_read_in_any_case(api, kettle, typed):
    assert names(api.get(f"/product/{typed}/")) == ["Kettle"]


@pytest.mark.django_db
@pytest.mark.parametrize("category", ["cars", "kit chen", "-1", "1.5", "a" * 300])
def test_an_unknown_category_is_a_404_with_a_code(api, category):
    response = api.get(f"/product/{category}/")

    assert response.status_code == 404
    assert response.json() == {
        "detail": "There is no such category. Choose one of: electronics, furniture, fashions,"
        " computing, gaming, kitchen, phones, sports.",
        "code": "category_not_found",
    }


def test_a_category_is_a_plain_array_newest_first(api, listing):
    listing("First")
    listing("Second")

    assert names(api.get("/product/kitchen/")) == ["Second", "First"]


def test_a_category_leaves_out_what_is_sold_out_or_unlisted(api, listing):
    sell_out(listing("Sold"))
    hide(listing("Hidden"))
    listing("Free")

    assert names(api.get("/product/kitchen/")) == ["Free"]
    assert names(api.get("/product/kitchen/?in_stock=true")) == ["Free"]


def test_a_category_shows_only_what_is_sold_out_when_asked(api, listing):
    sell_out(listing("Sold"))
    hide(listing("Hidden"))
    listing("Free")

    assert names(api.get("/product/kitchen/?in_stock=false")) == ["Sold"]


def test_a_page_has_25_products_and_says_where_the_next_one_is(api, seller):
    made = [ProductFactory(seller=seller).pk for _ in range(26)]

    first = api.get("/product/kitchen/")
    second = api.get(next_page(first))

    assert [row["id"] for row in first.json()] == made[:0:-1]
    assert [row["id"] for row in second.json()] == made[:1]
    assert next_page(second) is None


def test_a_category_is_one_query_whatever_it_shows(api, seller, django_assert_num_queries):
    for _ in range(4):
        ProductFactory(seller=seller)

    # the page, its sellers' names and one more row, to see whether there is another page
    with django_assert_num_queries(1):
        api.get("/product/kitchen/?page_size=2")


def test_filters_cost_no_second_query(api, seller, django_assert_num_queries):
    ProductFactory(seller=seller)

    with django_assert_num_queries(1):
        api.get("/product/kitchen/?min_price=1&max_price=9999&ordering=price")


@pytest.mark.parametrize("path", ["/product/kitchen/", "/product/search/"])
def test_a_sellers_name_is_asked_for_first(api, seller, django_assert_num_queries, path):
    ProductFactory(seller=seller)

    # the seller, and the page
    with django_assert_num_queries(2):
        api.get(f"{path}?min_price=1&seller={seller.username}&ordering=price")


@pytest.mark.parametrize("path", ["/product/kitchen/", "/product/search/"])
def test_nobodys_goods_are_looked_for_in_no_table(api, kettle, django_assert_num_queries, path):
    # the seller, who does not exist; no product is read
    with django_assert_num_queries(1):
        answer = api.get(f"{path}?seller=nobody&ordering=price")

    assert answer.json() == []


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("keyset", "indexes"),
    [
        (("newest",), ["product_of_seller_newest"]),
        # Or the index that includes unlisted products: both have this order.
        (("price", "id"), ["product_of_seller_price", "product_of_seller_by_price"]),
        (("-price", "-id"), ["product_of_seller_price", "product_of_seller_by_price"]),
    ],
)
def test_one_sellers_goods_are_walked_in_their_own_index(seller, keyset, indexes):
    products = Product.objects.listed().sold_by(seller.username)
    page = queries.in_order(products, keyset, indexed=True)[:26]

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The planner would scan an empty table sequentially.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")

    plan = page.explain()
    assert any(index in plan for index in indexes)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("min_price=200", ["C", "B"]),
        ("max_price=200", ["B", "A"]),
        ("min_price=200&max_price=200", ["B"]),
        ("min_price=999999999", []),
        ("max_price=0", []),
        ("min_price=", ["C", "B", "A"]),
        ("ordering=price", ["A", "B", "C"]),
        ("ordering=-price", ["C", "B", "A"]),
        ("ordering=newest", ["C", "B", "A"]),
        ("utm_source=whatsapp&utm_x=&fbclid=1&gclid=2", ["C", "B", "A"]),
    ],
)
def test_prices_narrow_and_order_a_list(api, listing, query, shown):
    for name, price in (("A", 100), ("B", 200), ("C", 300)):
        listing(name, price=price)

    assert names(api.get(f"/product/kitchen/?{query}")) == shown
    assert names(api.get(f"/product/search/?{query}")) == shown


@pytest.mark.parametrize("typed", ["amina", "AMINA", "Amina"])
def test_a_seller_is_found_in_any_case(api, listing, typed):
    listing("Hers", seller="Amina")
    listing("His", seller="baraka")

    assert names(api.get("/product/kitchen/", {"seller": typed})) == ["Hers"]


@pytest.mark.parametrize("typed", ["nobody", "ami", "amin%", "amin_", "' or 1=1 --"])
def test_a_sellers_name_is_matched_as_a_whole(api, listing, typed):
    listing(seller="amina")

    assert names(api.get("/product/kitchen/", {"seller": typed})) == []


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/product/kitchen/", "/product/search/"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("min_price", "abc"),
        ("min_price", "-1"),
        ("min_price", "1.0"),
        ("min_price", "1e3"),
        ("min_price", " 5"),
        ("min_price", "١٢"),
        ("min_price", "9" * 30),
        ("max_price", "NaN"),
        ("max_price", "Infinity"),
        ("in_stock", "maybe"),
        ("in_stock", "1"),
        ("seller", "a" * 151),
        ("ordering", "name"),
        ("ordering", "-newest"),
        ("page_size", "0"),
        ("page_size", "-5"),
        ("page_size", "ten"),
        ("page_size", "5.5"),
        ("page_size", ""),
        ("page_size", "9" * 40),
        ("cursor", ""),
        ("cursor", "!"),
        ("cursor", "é"),
        ("cursor", "bnVsbA"),
        ("cursor", "WzFd" * 400),
        ("cursor", "WyIxIl0"),
        ("cursor", "W3RydWVd"),
        ("cursor", "WzEuNV0"),
        ("cursor", "WzEsMl0"),
        ("cursor", "W1tbW1tbW10"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_400_on_its_field(api, address, field, value):
    response = api.get(address, {field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/product/kitchen/", "/product/search/"])
@pytest.mark.parametrize(
    "field", ["min_price", "max_price", "in_stock", "seller", "ordering", "page_size", "cursor"]
)
def test_a_parameter_given_twice_is_a_400_on_its_field(api, address, field):
    response = api.get(f"{address}?{field}=1&{field}=2")

    assert response.status_code == 400
    assert response.json() == {field: ["Give this once."]}


@pytest.mark.django_db
def test_a_nul_in_a_parameter_is_no_500(api):
    assert api.get("/product/kitchen/?seller=%00").status_code == 400


def test_a_cursor_beyond_every_id_is_an_empty_or_full_page_and_no_500(api, kettle):
    huge = "WzkyMjMzNzIwMzY4NTQ3NzU4MDdd"  # [9223372036854775807]
    pair = "WzkyMjMzNzIwMzY4NTQ3NzU4MDcsOTIyMzM3MjAzNjg1NDc3NTgwN10"  # the same, twice

    assert names(api.get(f"/product/search/?cursor={huge}")) == ["Kettle"]
    assert names(api.get(f"/product/kitchen/?cursor={huge}")) == []
    assert names(api.get(f"/product/kitchen/?ordering=price&cursor={pair}")) == []
    assert names(api.get(f"/product/kitchen/?ordering=-price&cursor={pair}")) == ["Kettle"]


def _plan(query):
    if connection.vendor != "postgresql":
        return query.explain()
    with connection.cursor() as cursor:
        # With few rows PostgreSQL would prefer a sequential scan.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    return query.explain()


@pytest.mark.usefixtures("never_analyzed")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("products", "order", "index"),
    [
        ("on_sale", [Newest()], "product_category_newest"),
        ("on_sale", ["price", "id"], "product_category_price"),
        ("on_sale", ["-price", "-id"], "product_category_price"),
        ("sold_out", [Newest()], "product_category_soldout"),
    ],
)
def test_a_category_walks_an_index_that_has_its_order(products, order, index):
    listed = getattr(Product.objects, products)().filter(category="kitchen")

    plan = _plan(as_rows(listed.order_by(*order))[:26])

    assert index in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
