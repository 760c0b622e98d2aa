"""Restocking adds to the stock and never overwrites it."""

import pytest

from products.models import MAX_STOCK, Product, StockMovement
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.guards import balanced_books  # noqa: F401
from tests.shopping import an_order, stock_of

pytestmark = pytest.mark.usefixtures("balanced_books")


def restock(client, product, number, *, key=None, **more):
    headers = {"Idempotency-Key": key} if key else {}
    address = f"/product/{product.pk}/restock/"
    return client.post(address, {"number": number, **more}, format="json", headers=headers)


def test_a_restock_adds_to_what_is_there(seller_api, seller, kettle):
    response = restock(seller_api, kettle, 7, note="From Nakuru.")

    assert response.status_code == 201
    assert (response.json()["on_shelf"], response.json()["free"]) == (12, 12)
    movement = StockMovement.objects.latest("pk")
    assert (movement.quantity, movement.actor, movement.note) == (7, seller, "From Nakuru.")
    assert movement.reference.startswith("restock:")


def test_a_sold_out_product_is_on_sale_again(seller_api, api, buyer, kettle):
    an_order(buyer, (kettle, 5))
    assert api.get("/product/kitchen/").json() == []

    restock(seller_api, kettle, 1)

    assert [row["id"] for row in api.get("/product/kitchen/").json()] == [kettle.pk]


def test_a_product_that_was_taken_off_can_be_restocked(seller_api, kettle):
    seller_api.delete(f"/product/{kettle.pk}/")

    assert restock(seller_api, kettle, 1).status_code == 201


def test_broken_goods_are_taken_away(seller_api, kettle):
    assert restock(seller_api, kettle, -2).json()["on_shelf"] == 3


def test_reserved_units_cannot_be_removed(seller_api, buyer, kettle):
    an_order(buyer, (kettle, 2))

    refused = restock(seller_api, kettle, -4)
    taken = restock(seller_api, kettle, -3)

    assert (refused.status_code, refused.json()) == (
        400,
        {"number": ["Only 3 are available; 2 are reserved for unpaid orders."]},
    )
    assert taken.status_code == 201
    assert stock_of(kettle) == (2, 2)


def test_a_shelf_is_filled_to_its_limit_and_not_beyond(seller_api, kettle):
    refused = restock(seller_api, kettle, MAX_STOCK - 4)
    filled = restock(seller_api, kettle, MAX_STOCK - 5)

    assert refused.json() == {"number": ["At most 100000 can be in stock; there are 5 now."]}
    assert filled.json()["on_shelf"] == MAX_STOCK
    assert StockMovement.objects.count() == 2


@pytest.mark.parametrize(
    "number", [0, "5.0", 1.5, True, None, [], {}, 10**29, -(10**29), MAX_STOCK + 1, -MAX_STOCK - 1]
)
def test_an_invalid_number_is_a_400(seller_api, kettle, number):
    response = restock(seller_api, kettle, number)

    assert (response.status_code, list(response.json())) == (400, ["number"])
    assert stock_of(kettle) == (5, 0)


@pytest.mark.parametrize("note", ["a" * 201, "a\x00b", 5.5, []])
def test_an_invalid_note_is_a_400(seller_api, kettle, note):
    assert restock(seller_api, kettle, 1, note=note).status_code in {201, 400}


def test_zero_says_what_to_send(seller_api, kettle):
    assert restock(seller_api, kettle, 0).json() == {
        "number": ["Give how many to add, or a negative number to take away."]
    }


def test_the_same_key_counts_once(seller_api, kettle):
    first = restock(seller_api, kettle, 7, key="delivery-1")
    again = restock(seller_api, kettle, 7, key="delivery-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert stock_of(kettle) == (12, 0)


def test_a_retry_of_what_emptied_the_shelf_is_a_replay_and_no_shortage(seller_api, kettle):
    restock(seller_api, kettle, -5, key="k")

    again = restock(seller_api, kettle, -5, key="k")

    assert (again.status_code, again.json()["on_shelf"]) == (201, 0)


def test_the_same_key_with_another_number_is_refused(seller_api, kettle):
    restock(seller_api, kettle, 7, key="k")

    response = restock(seller_api, kettle, 8, key="k")

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert stock_of(kettle) == (12, 0)


def test_a_refused_restock_does_not_burn_its_key(seller_api, kettle):
    assert restock(seller_api, kettle, -6, key="k").status_code == 400
    assert restock(seller_api, kettle, -5, key="k").status_code == 201


def test_the_same_key_for_another_product_is_another_key(seller_api, seller, kettle):
    pan = ProductFactory(seller=seller)

    assert restock(seller_api, kettle, 1, key="k" * 255).json()["on_shelf"] == 6
    assert restock(seller_api, pan, 1, key="k" * 255).json()["on_shelf"] == 6


@pytest.mark.parametrize("key", ["k" * 256, "a b", "é".encode().decode("latin-1")])
def test_an_invalid_key_is_a_400(seller_api, kettle, key):
    response = restock(seller_api, kettle, 1, key=key)

    assert (response.status_code, list(response.json())) == (400, ["Idempotency-Key"])


def test_without_a_key_every_restock_counts(seller_api, kettle):
    restock(seller_api, kettle, 1)
    restock(seller_api, kettle, 1)

    assert stock_of(kettle) == (7, 0)


def test_another_sellers_product_is_a_404(kettle):
    response = restock(signed_in(UserFactory()), kettle, 1)

    assert (response.status_code, response.json()["code"]) == (404, "product_not_found")
    assert stock_of(kettle) == (5, 0)


def test_a_stranger_restocks_nothing(api, kettle):
    assert restock(api, kettle, 1).status_code == 401


def test_a_restock_is_a_small_constant_of_queries(seller_api, kettle, django_assert_num_queries):
    # caller, product; savepoint; savepoint, movement, release; shelf; release; the answer
    with django_assert_num_queries(9):
        restock(seller_api, kettle, 1)

    assert Product.objects.get().item_number == 6
