import pytest

from products.models import Product
from tests.factories import ProductFactory

from .conftest import links, next_page, walk

EVERYTHING = "/product/search/?page_size=2&ordering="
KITCHEN = "/product/kitchen/?page_size=2&ordering="


@pytest.fixture
def nine(seller):
    """Nine products, three at each price, so that every page ends between equal prices."""
    return [ProductFactory(seller=seller, price=100 * (1 + at % 3)) for at in range(9)]


@pytest.mark.parametrize("start", [EVERYTHING, KITCHEN])
@pytest.mark.parametrize(
    ("ordering", "key"),
    [
        ("newest", lambda row: -row["id"]),
        ("price", lambda row: (row["price"], row["id"])),
        ("-price", lambda row: (-row["price"], -row["id"])),
    ],
)
def test_the_pages_together_are_the_whole_list_in_order(api, nine, start, ordering, key):
    pages = walk(api, start + ordering)

    rows = [row for page in pages for row in page]
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]
    assert rows == sorted(rows, key=key)
    assert {row["id"] for row in rows} == {product.pk for product in nine}


@pytest.mark.parametrize("start", [EVERYTHING, KITCHEN])
@pytest.mark.parametrize("ordering", ["newest", "price", "-price"])
def test_no_product_is_repeated_or_skipped_while_others_write(api, nine, seller, start, ordering):
    seen, address = [], start + ordering
    while address:
        response = api.get(address)
        seen += [row["id"] for row in response.json()]
        address = next_page(response)
        # Add products everywhere in the order, sell one, and unlist the last row shown.
        for price in (50, 150, 250, 350):
            ProductFactory(seller=seller, price=price)
        Product.objects.filter(pk=seen[-1]).update(held=4)
        Product.objects.filter(pk=seen[0]).update(listed=False)
        if len(seen) > 200:
            break

    old = [pk for pk in seen if pk in {product.pk for product in nine}]
    assert sorted(old) == sorted(product.pk for product in nine) or len(seen) > 200
    assert len(seen) == len(set(seen))


def test_a_page_that_ends_with_the_list_has_no_link(api, nine):
    response = api.get("/product/kitchen/?page_size=9")

    assert len(response.json()) == 9
    assert "Link" not in response.headers


@pytest.mark.parametrize("start", [EVERYTHING, KITCHEN])
@pytest.mark.parametrize("ordering", ["newest", "price", "-price", "stars", "best-selling"])
def test_the_way_back_leads_over_the_same_pages(api, nine, start, ordering):
    there, address = [], start + ordering
    while address:
        response = api.get(address)
        there.append(response.json())
        address = links(response).get("next")
    back, address = [], links(response)["prev"]
    while address:
        response = api.get(address)
        back.insert(0, response.json())
        address = links(response).get("prev")

    # The last page has one row; the one that ends before it is full.
    assert back == there[:-1]
    assert links(response)["next"]


def test_the_first_page_leads_nowhere_back(api, nine):
    assert links(api.get("/product/kitchen/?page_size=2")).keys() == {"next"}


def test_the_link_keeps_every_parameter_and_is_absolute(api, nine):
    response = api.get("/product/kitchen/", {"page_size": 2, "seller": "Amina", "utm_x": "a&b=ç"})

    assert next_page(response) == (
        "http://testserver/product/kitchen/?page_size=2&seller=Amina&utm_x=a%26b%3D%C3%A7&cursor="
        + next_page(response).split("cursor=")[1]
    )


def test_the_link_is_readable_by_a_browser_on_another_origin(api, nine, settings):
    origin = settings.CORS_ALLOWED_ORIGINS[0]

    response = api.get("/product/kitchen/?page_size=2", headers={"Origin": origin})

    assert "Link" in response["Access-Control-Expose-Headers"]


def test_more_than_100_a_page_are_100(api, seller):
    Product.objects.bulk_create(
        ProductFactory.build(seller=seller, name=f"Cup {number}") for number in range(101)
    )

    response = api.get("/product/kitchen/?page_size=500")

    assert len(response.json()) == 100
    assert len(api.get(next_page(response)).json()) == 1


def test_a_later_page_is_one_query_and_counts_nothing(api, nine, django_assert_num_queries):
    second = next_page(api.get("/product/kitchen/?page_size=2&ordering=price"))

    with django_assert_num_queries(1) as captured:
        api.get(second)

    sql = captured[0]["sql"].upper()
    assert "COUNT(" not in sql
    assert "OFFSET" not in sql
