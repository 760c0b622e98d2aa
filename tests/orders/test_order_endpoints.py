"""Looking at an order and giving it up; other people's orders are not there."""

import uuid

import pytest
from django.utils import timezone

from orders.models import Order
from tests.conftest import signed_in
from tests.factories import UserFactory
from tests.shopping import an_order, stock_of


@pytest.fixture
def order(buyer, kettle):
    return an_order(buyer, (kettle, 2))


def give_up(api, order):
    return api.post(f"/cashout/{order.order_token}/cancel/")


def test_a_buyer_sees_their_order(buyer_api, order):
    response = buyer_api.get(f"/cashout/{order.order_token}/")

    assert response.status_code == 200
    assert response.json()["order_token"] == str(order.order_token)
    assert response.json()["payment_status"] == "requested"


@pytest.mark.parametrize(("method", "action"), [("get", ""), ("post", "pay/"), ("post", "cancel/")])
def test_anyone_elses_order_answers_as_one_that_does_not_exist(order, method, action):
    stranger = getattr(signed_in(UserFactory()), method)

    theirs = stranger(f"/cashout/{order.order_token}/{action}")
    nobodys = stranger(f"/cashout/{uuid.uuid4()}/{action}")

    order.refresh_from_db()
    assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found")
    assert theirs.json() == nobodys.json()
    assert order.payment_status == "requested"


@pytest.mark.parametrize(("method", "action"), [("get", ""), ("post", "pay/"), ("post", "cancel/")])
def test_strangers_are_asked_to_sign_in(api, order, method, action):
    response = getattr(api, method)(f"/cashout/{order.order_token}/{action}")

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_an_address_that_is_no_token_is_not_there(buyer_api):
    response = buyer_api.get("/cashout/1/")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_giving_up_frees_the_goods(buyer_api, order, kettle):
    response = give_up(buyer_api, order)

    assert response.status_code == 200
    assert response.json()["payment_status"] == "cancelled"
    assert response.json()["order"][0]["track_status"] == "cancelled"
    assert response.json()["prompt"]["message"] == "You cancelled this order. You owe nothing."
    assert stock_of(kettle) == (5, 0)


def test_giving_up_twice_frees_the_goods_once(buyer_api, order, kettle):
    an_order(UserFactory(), (kettle, 3))

    give_up(buyer_api, order)
    again = give_up(buyer_api, order)

    assert (again.status_code, again.json()["payment_status"]) == (200, "cancelled")
    assert stock_of(kettle) == (5, 3)


def test_an_overdue_order_is_expired_when_it_is_looked_at(buyer_api, order, kettle):
    Order.objects.update(expires_at=timezone.now())

    response = buyer_api.get(f"/cashout/{order.order_token}/")

    assert response.json()["payment_status"] == "expired"
    assert response.json()["prompt"]["message"] == (
        "The time to pay is over and the items are no longer reserved. Please place the order "
        "again."
    )
    assert stock_of(kettle) == (5, 0)


def test_an_expired_order_cannot_be_given_up(buyer_api, order):
    Order.objects.update(expires_at=timezone.now())

    response = give_up(buyer_api, order)

    assert (response.status_code, response.json()) == (
        409,
        {"detail": "This order is no longer waiting for payment.", "code": "order_closed"},
    )


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nothing_else_can_be_done_to_an_order(buyer_api, order, method):
    response = getattr(buyer_api, method)(f"/cashout/{order.order_token}/", {})

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
