"""Against hoarding: what one buyer may keep from others without paying."""

from datetime import timedelta

import time_machine
from django.utils import timezone

from orders.models import Order
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, cash_out, stock_of


def test_a_fourth_unpaid_order_is_refused(buyer, buyer_api, kettle):
    for _ in range(3):
        an_order(buyer, (kettle, 1))

    response = cash_out(buyer_api, (kettle, 1), phone="0733000111")

    newest_first = [str(order.order_token) for order in Order.objects.order_by("-pk")]
    assert (response.status_code, response.json()) == (
        409,
        {
            "detail": "You have 3 orders waiting to be paid. Pay or cancel one of them first.",
            "code": "too_many_unpaid_orders",
            "order_token": newest_first[0],
            "order_tokens": newest_first,
        },
    )
    assert stock_of(kettle) == (5, 3)


def test_the_refusal_says_when_the_first_order_expires(buyer, buyer_api, kettle):
    orders = [an_order(buyer, (kettle, 1)) for _ in range(3)]
    with time_machine.travel(orders[1].created_at, tick=False):
        ends = {orders[0]: 400, orders[1]: 90, orders[2]: 600}
        for order, seconds in ends.items():
            at = timezone.now() + timedelta(seconds=seconds)
            Order.objects.filter(pk=order.pk).update(expires_at=at)

        refused = cash_out(buyer_api, (kettle, 1), phone="0733000111")

    assert refused["Retry-After"] == "90"


def test_a_cancelled_order_makes_room(buyer, buyer_api, kettle):
    orders = [an_order(buyer, (kettle, 1)) for _ in range(3)]

    buyer_api.post(f"/cashout/{orders[0].order_token}/cancel/")

    assert cash_out(buyer_api, (kettle, 1)).status_code == 201


def test_an_overdue_order_counts_no_longer(buyer, buyer_api, kettle):
    orders = [an_order(buyer, (kettle, 1)) for _ in range(3)]
    Order.objects.filter(pk=orders[0].pk).update(expires_at=timezone.now())

    assert cash_out(buyer_api, (kettle, 1)).status_code == 201


def test_other_buyers_orders_do_not_count(buyer_api, kettle):
    for _ in range(4):
        an_order(UserFactory(), (kettle, 1))

    assert cash_out(buyer_api, (kettle, 1)).status_code == 201


def test_twenty_of_a_small_stock_may_be_held(buyer_api, seller):
    mugs = ProductFactory(seller=seller, item_number=100, price=10)

    too_many = cash_out(buyer_api, (mugs, 21))
    twenty = cash_out(buyer_api, (mugs, 20))

    assert (too_many.status_code, too_many.json()) == (
        400,
        {"order": [{"number": ["You can reserve at most 20 of a product before paying."]}]},
    )
    assert (twenty.status_code, stock_of(mugs)) == (201, (100, 20))


def test_a_tenth_of_a_large_stock_may_be_held(buyer_api, seller):
    mugs = ProductFactory(seller=seller, item_number=1000, price=10)

    too_many = cash_out(buyer_api, (mugs, 101))
    a_tenth = cash_out(buyer_api, (mugs, 100))

    assert too_many.json() == {
        "order": [{"number": ["You can reserve at most 100 of a product before paying."]}]
    }
    assert a_tenth.status_code == 201


def test_reservations_of_other_orders_count(buyer, buyer_api, seller):
    mugs = ProductFactory(seller=seller, item_number=100, price=10)
    own = an_order(buyer, (mugs, 15))

    too_many = cash_out(buyer_api, (mugs, 3), (mugs, 3))
    enough = cash_out(buyer_api, (mugs, 5))

    refused = {"number": ["You can reserve at most 20 of a product before paying."]}
    token = str(own.order_token)
    assert too_many.json() == {
        "order": [{}, refused],
        "code": "held_by_your_order",
        "order_token": token,
        "order_tokens": [token],
    }
    assert (enough.status_code, stock_of(mugs)) == (201, (100, 20))


def test_reservations_of_cancelled_orders_do_not_count(buyer, buyer_api, seller):
    mugs = ProductFactory(seller=seller, item_number=100, price=10)
    order = an_order(buyer, (mugs, 20))
    buyer_api.post(f"/cashout/{order.order_token}/cancel/")

    assert cash_out(buyer_api, (mugs, 20)).status_code == 201
