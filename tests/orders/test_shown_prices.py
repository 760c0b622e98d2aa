"""A buyer is charged the price their client showed, or nothing is reserved."""

import pytest

from orders.models import Order
from products.listings.services import edit_product
from tests.factories import ProductFactory
from tests.shopping import stock_of


@pytest.fixture
def pan(seller):
    return ProductFactory(seller=seller, price=700)


def cash_out(api, *lines, key=None, **shown):
    """POST /cashout/ for (product, number, price shown or None) lines."""
    order = [
        {"product": product.pk, "number": number, **({} if price is None else {"price": price})}
        for product, number, price in lines
    ]
    headers = {"Idempotency-Key": key} if key else {}
    sent = {"order": order, "mpesa_number": "0712345678", **shown}
    return api.post("/cashout/", sent, headers=headers)


def reprice(product, price):
    edit_product(product.pk, price=price)


@pytest.mark.parametrize("shown", [{}, {"amount": 3700}])
@pytest.mark.parametrize("prices", [(1500, 700), (1500, None), (None, None)])
def test_unchanged_prices_are_ordered(buyer_api, kettle, pan, prices, shown):
    response = cash_out(buyer_api, (kettle, 2, prices[0]), (pan, 1, prices[1]), **shown)

    assert (response.status_code, response.json()["amount"]) == (201, 3700)


def test_a_price_that_moved_is_a_conflict_with_the_new_ones_and_nothing_is_held(
    buyer_api, kettle, pan
):
    reprice(kettle, 1600)

    response = cash_out(buyer_api, (pan, 1, 700), (kettle, 2, 1500))

    assert (response.status_code, response.json()) == (
        409,
        {
            "detail": (
                "A price has changed since you saw it. Check the new price and order again."
            ),
            "code": "price_changed",
            "order": [
                {"product": pan.pk, "number": 1, "price": 700, "amount": 700},
                {"product": kettle.pk, "number": 2, "price": 1600, "amount": 3200},
            ],
            "amount": 3900,
        },
    )
    assert not Order.objects.exists()
    assert (stock_of(kettle), stock_of(pan)) == ((5, 0), (5, 0))


@pytest.mark.parametrize("now", [1400, 1600])
def test_a_sum_that_moved_is_a_conflict_in_either_direction(buyer_api, kettle, now):
    reprice(kettle, now)

    response = cash_out(buyer_api, (kettle, 2, None), amount=3000)

    assert (response.status_code, response.json()["code"]) == (409, "price_changed")
    assert (response.json()["amount"], Order.objects.count()) == (2 * now, 0)


@pytest.mark.parametrize("shown", [2**53 - 1, 1])
def test_a_price_no_listing_has_is_a_conflict_too(buyer_api, kettle, shown):
    assert cash_out(buyer_api, (kettle, 1, shown)).status_code == 409
    assert cash_out(buyer_api, (kettle, 1, None), amount=shown).status_code == 409


def test_one_product_at_two_prices_is_a_conflict(buyer_api, kettle):
    response = cash_out(buyer_api, (kettle, 1, 1500), (kettle, 1, 1600))

    assert (response.status_code, [line["price"] for line in response.json()["order"]]) == (
        409,
        [1500, 1500],
    )


def test_without_shown_prices_the_current_price_is_charged(buyer_api, kettle):
    reprice(kettle, 1600)

    response = cash_out(buyer_api, (kettle, 1, None))

    assert (response.status_code, response.json()["amount"]) == (201, 1600)


def test_a_conflict_does_not_burn_its_key_and_the_new_price_is_taken(buyer_api, kettle):
    reprice(kettle, 1600)
    refused = cash_out(buyer_api, (kettle, 1, 1500), key="k-1").json()

    placed = cash_out(buyer_api, (kettle, 1, refused["order"][0]["price"]), key="k-1")

    assert (placed.status_code, placed.json()["amount"]) == (201, 1600)


def test_a_retry_is_answered_though_the_price_moved_after_its_first_try(buyer_api, kettle):
    first = cash_out(buyer_api, (kettle, 1, 1500), key="k-1", amount=1500)
    reprice(kettle, 1600)

    again = cash_out(buyer_api, (kettle, 1, 1500), key="k-1", amount=1500)
    other = cash_out(buyer_api, (kettle, 1, 1600), key="k-1", amount=1600)

    assert (again.status_code, again.json()["order_token"]) == (201, first.json()["order_token"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_double_click_at_the_price_of_the_order_is_that_order(buyer_api, kettle):
    first = cash_out(buyer_api, (kettle, 1, 1500))
    reprice(kettle, 1600)

    again = cash_out(buyer_api, (kettle, 1, 1500))
    at_the_new_price = cash_out(buyer_api, (kettle, 1, 1600))

    assert again.json()["order_token"] == first.json()["order_token"]
    assert (at_the_new_price.status_code, at_the_new_price.json()["amount"]) == (201, 1600)
    assert Order.objects.count() == 2


def test_goods_that_are_not_for_sale_any_more_are_told_before_their_price(buyer_api, kettle):
    edit_product(kettle.pk, listed=False, price=1600)

    response = cash_out(buyer_api, (kettle, 1, 1500))

    assert (response.status_code, response.json()) == (
        400,
        {"order": [{"product": ["This product is not for sale."]}]},
    )
