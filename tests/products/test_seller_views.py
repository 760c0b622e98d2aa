"""A seller's own lists: products, stock movements, reviews, and the download link."""

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from omachemainproj.logs import mask_private
from products.listings.services import restock_product
from products.models import Product
from tests.factories import ProductFactory, UserFactory
from tests.shopping import delivered_line, paid_line

from .conftest import hide, links, names, sell_out

MINE = "/seller/products/"
EXPORT = "/seller/products/export/"


@pytest.fixture
def goods(seller):
    """Five goods: 3 of A, 9 of B, none of C, D unlisted, 6 of E of which 2 are free."""
    made = {
        name: ProductFactory(seller=seller, name=name, item_number=number, price=price)
        for name, number, price in (
            ("A", 3, 50),
            ("B", 9, 40),
            ("C", 5, 30),
            ("D", 8, 20),
            ("E", 6, 10),
        )
    }
    sell_out(made["C"])
    hide(made["D"])
    Product.objects.filter(pk=made["E"].pk).update(held=4, sold=12)
    return made


def test_one_of_my_goods_is_found_by_its_number(seller_api, goods):
    row = seller_api.get(f"{MINE}?id={goods['E'].pk}").json()

    assert [(each["name"], each["held"], each["free"]) for each in row] == [("E", 4, 2)]


def test_nobody_elses_goods_are_found_by_their_number(seller_api):
    assert seller_api.get(f"{MINE}?id={ProductFactory().pk}").json() == []


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=on_sale", ["E", "B", "A"]),
        ("status=sold_out", ["C"]),
        ("status=unlisted", ["D"]),
        ("status=low_stock", ["E", "A"]),
        ("status=sold_out&status=unlisted", ["D", "C"]),
        ("low_stock=2", ["E", "C"]),
        ("low_stock=0", ["C"]),
        ("low_stock=2&status=on_sale", ["E"]),
        ("ordering=newest", ["E", "D", "C", "B", "A"]),
        ("ordering=price", ["E", "D", "C", "B", "A"]),
        ("ordering=-price", ["A", "B", "C", "D", "E"]),
        ("ordering=available", ["C", "E", "A", "D", "B"]),
        ("ordering=-available", ["B", "D", "A", "E", "C"]),
        ("ordering=best-selling&status=on_sale", ["E", "B", "A"]),
    ],
)
def test_sellers_narrow_and_order_their_goods(seller_api, goods, query, shown):
    assert names(seller_api.get(f"{MINE}?{query}")) == shown


@pytest.mark.parametrize("ordering", ["price", "available", "-available", "best-selling"])
def test_their_pages_follow_one_another(seller_api, goods, ordering):
    whole = names(seller_api.get(f"{MINE}?ordering={ordering}"))
    seen, address = [], f"{MINE}?page_size=2&ordering={ordering}"
    while address:
        response = seller_api.get(address)
        seen += names(response)
        address = links(response).get("next")

    assert seen == whole


@pytest.mark.parametrize(
    ("query", "field", "names_it"),
    [
        ("status=gone", "status", "on_sale, low_stock, sold_out, unlisted."),
        ("status=on_sale&status=gone", "status", "on_sale, low_stock, sold_out, unlisted."),
        (
            "ordering=name",
            "ordering",
            "newest, price, -price, available, -available, best-selling.",
        ),
        ("low_stock=few", "low_stock", "Give a whole number, like 5."),
        ("listed=yes", "listed", "“yes” is none of: true, false."),
        ("colour=red", "colour", "status."),
    ],
)
def test_an_invalid_filter_is_refused_with_the_valid_values(
    seller_api, goods, query, field, names_it
):
    response = seller_api.get(f"{MINE}?{query}")

    assert response.status_code == 400
    assert response.json()[field][0].endswith(names_it)


def test_a_sellers_list_is_two_queries(seller_api, goods, django_assert_num_queries):
    # the token's user, the page
    with django_assert_num_queries(2):
        seller_api.get(f"{MINE}?status=low_stock&ordering=available")


def test_the_history_of_a_shelf_is_told_newest_first(buyer, seller, seller_api, kettle):
    restock_product(kettle.pk, number=7, by=seller, note="From Nakuru")
    paid_line(buyer, kettle, 2)

    rows = seller_api.get(f"/product/{kettle.pk}/stock/").json()

    assert [(row["number"], row["kind"], row["note"], row["by"]) for row in rows] == [
        (-2, "sold", "", None),
        (7, "restocked", "From Nakuru", "amina"),
        (5, "listed", "", None),
    ]
    kettle.refresh_from_db()
    assert sum(row["number"] for row in rows) == kettle.item_number
    assert all("order" not in str(row) for row in rows)


def test_a_history_is_paged_in_an_index(seller, seller_api, kettle, django_assert_num_queries):
    for number in range(3):
        restock_product(kettle.pk, number=number + 1, by=seller)

    # the token's user, the product, the page
    with django_assert_num_queries(3):
        first = seller_api.get(f"/product/{kettle.pk}/stock/?page_size=2")

    second = seller_api.get(links(first)["next"])
    assert [row["number"] for row in (*first.json(), *second.json())] == [3, 2, 1, 5]


def test_nobody_elses_history_is_told(buyer_api, kettle):
    assert buyer_api.get(f"/product/{kettle.pk}/stock/").status_code == 404


def review(buyer, product, stars):
    from orders.reviews import review_line

    return review_line(track_id=delivered_line(buyer, product).pk, buyer=buyer, stars=stars)


@pytest.fixture
def reviewed(buyer, seller, kettle):
    pan = ProductFactory(seller=seller, name="Pan", item_number=9)
    other = ProductFactory(item_number=9)
    return [review(buyer, product, stars) for product, stars in ((kettle, 5), (pan, 2), (other, 1))]


def test_reviews_of_all_a_seller_sells_are_one_list(seller_api, reviewed):
    rows = seller_api.get("/seller/reviews/").json()

    assert [(row["stars"], row["product"]["name"]) for row in rows] == [(2, "Pan"), (5, "Kettle")]
    assert rows[0].keys() == {
        "id", "stars", "text", "by", "created_at", "edited", "returned", "answer", "product",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "stars"),
    [("stars=2", [2]), ("stars=2,5", [2, 5]), ("stars=1", []), ("answered=true", []),
     ("answered=false", [2, 5]), ("stars=5&answered=false", [5])],
)  # fmt: skip
def test_a_sellers_reviews_are_filtered(seller_api, reviewed, query, stars):
    assert [row["stars"] for row in seller_api.get(f"/seller/reviews/?{query}").json()] == stars


@pytest.mark.parametrize("query", ["stars=6", "stars=", "answered=maybe", "page=2"])
def test_reviews_are_not_narrowed_by_what_there_is_not(seller_api, seller, query):
    assert seller_api.get(f"/seller/reviews/?{query}").status_code == 400


def test_a_sellers_reviews_cost_two_queries(seller_api, reviewed, django_assert_num_queries):
    # the token's user, the page
    with django_assert_num_queries(2):
        seller_api.get("/seller/reviews/?stars=2,5")


def test_a_page_of_a_seller_is_public_and_says_who_they_are(api, seller, kettle):
    type(seller).objects.filter(pk=seller.pk).update(
        first_name="Amina", last_name="Otieno", avatar="avatars/a.webp"
    )

    shown = api.get("/seller/amina/").json()

    assert (shown["display_name"], shown["avatar"], shown["goods"]) == (
        "Amina", "http://testserver/media/avatars/a.webp", 1,
    )  # fmt: skip
    assert "Otieno" not in str(shown)


def test_a_link_gives_the_sheet_to_whoever_has_it(seller_api, kettle):
    made = seller_api.post(EXPORT)
    assert (made.status_code, made.json()["expires_in"]) == (201, 60)

    sheet = APIClient().get(made.json()["url"])

    assert sheet["Content-Type"].startswith("text/csv")
    assert sheet["Cache-Control"] == "no-store"
    assert b"".join(sheet.streaming_content) == b"".join(seller_api.get(EXPORT).streaming_content)


def test_a_link_is_good_for_a_minute(seller_api, kettle):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        url = seller_api.post(EXPORT).json()["url"]

    for seconds, status in ((59, 200), (61, 404)):
        with time_machine.travel(now + timezone.timedelta(seconds=seconds), tick=False):
            assert APIClient().get(url).status_code == status


@pytest.mark.parametrize("change", ["password", "is_active"])
def test_a_link_ends_with_the_password_and_the_account(seller_api, seller, kettle, change):
    url = seller_api.post(EXPORT).json()["url"]
    type(seller).objects.filter(pk=seller.pk).update(
        **{change: {"is_active": False}.get(change, "x")}
    )

    answer = APIClient().get(url)

    assert (answer.status_code, answer.json()["code"]) == (404, "link_expired")
    assert answer["Cache-Control"] == "no-store"


def test_a_link_that_was_changed_opens_nothing(seller_api, seller, kettle):
    url = seller_api.post(EXPORT).json()["url"]
    other = UserFactory()

    for forged in (url[:-2] + "x/", url.replace(f"/{seller.pk}-", f"/{other.pk}-"), f"{EXPORT}x/"):
        assert APIClient().get(forged).status_code == 404


def test_a_link_is_masked_in_the_log():
    assert mask_private("GET /seller/products/export/17-ab:1w:zz/ 200") == (
        "GET /seller/products/export/*** 200"
    )


def test_another_scheme_is_told_of_bearer(api, db):
    said = api.get(MINE, headers={"Authorization": "Token abc"})

    assert (said.status_code, said.json()) == (
        401,
        {
            "detail": "Send your access token as “Authorization: Bearer <token>”.",
            "code": "not_authenticated",
        },
    )
