"""Nobody buys their own goods: refused on the line, before anything is held."""

import pytest

from orders.cashout import LineRequest, find_line_errors
from orders.models import Order
from tests.factories import ProductFactory
from tests.shopping import an_order, body, cash_out, own_goods_allowed, stock_of

pytestmark = pytest.mark.django_db

OWN = {"product": ["These are your own goods."]}
NONE = {"product": ["This product is not for sale."]}


def test_own_goods_are_reported_on_the_line_and_nothing_is_reserved(seller_api, kettle):
    other = ProductFactory()

    response = cash_out(seller_api, (other, 1), (kettle, 1))

    assert response.status_code == 400
    assert response.json() == {"order": [{}, OWN]}
    assert (Order.objects.count(), stock_of(other), stock_of(kettle)) == (0, (5, 0), (5, 0))


def test_beside_what_is_not_for_sale(seller_api, kettle):
    gone = ProductFactory(listed=False)

    response = cash_out(seller_api, (gone, 1), (kettle, 1), (kettle, 2))

    assert response.json() == {"order": [NONE, OWN, OWN]}


def test_ones_own_that_is_off_sale_is_not_for_sale(seller, seller_api):
    off = ProductFactory(seller=seller, listed=False)

    assert cash_out(seller_api, (off, 1)).json() == {"order": [NONE]}


def test_own_goods_are_reported_before_changed_prices_and_sold_out_goods(seller_api, seller):
    empty = ProductFactory(seller=seller, item_number=0)
    asked = body((empty, 1))
    asked["order"][0]["price"] = 1

    response = seller_api.post("/cashout/", asked)

    assert (response.status_code, response.json()) == (400, {"order": [OWN]})


def test_others_buy_them_as_before(buyer_api, kettle):
    assert cash_out(buyer_api, (kettle, 1)).status_code == 201


def test_checking_for_own_goods_costs_no_query(seller_api, kettle, django_assert_num_queries):
    seller_api.get("/track/order/")

    # caller; savepoint, their lock, unpaid orders, products, back to the savepoint and its release
    with django_assert_num_queries(7):
        cash_out(seller_api, (kettle, 1))


def test_an_earlier_order_under_the_same_key_stays_a_replay(seller_api, kettle):
    with own_goods_allowed():
        first = cash_out(seller_api, (kettle, 1), key="before")

    again = cash_out(seller_api, (kettle, 1), key="before")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json()["order_token"] == first.json()["order_token"]
    assert cash_out(seller_api, (kettle, 1), key="after").json() == {"order": [OWN]}


def test_an_order_of_before_can_still_be_given_up(seller, seller_api, kettle):
    with own_goods_allowed():
        order = an_order(seller, (kettle, 1))

    assert seller_api.post(f"/cashout/{order.order_token}/cancel/").status_code == 200
    assert stock_of(kettle) == (5, 0)


@pytest.mark.parametrize(
    ("buyer", "said"),
    [(7, [{}, OWN, NONE]), (8, [OWN, {}, NONE]), (None, [{}, {}, NONE])],
)
def test_objections_have_the_shape_of_the_lines(buyer, said):
    lines = [LineRequest(product, 1) for product in (1, 2, 3)]

    assert find_line_errors(lines, {1: 8, 2: 7}, buyer=buyer) == said


def test_where_nothing_keeps_them_there_is_nothing():
    assert find_line_errors([LineRequest(1, 1)], {1: 8}, buyer=7) == []
