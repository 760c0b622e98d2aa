"""Goods that a buyer's own unpaid order holds: they are led to that order, and can pay it."""

import pytest
from django.test import Client
from django.utils import timezone

from orders.lifecycle import cancel_order
from orders.models import Order
from payments.checkout.stk_push import send_stk_push
from payments.models import OrderPayment
from tests.factories import ProductFactory, UserFactory
from tests.payments.bodies import failure, post
from tests.payments.conftest import ringing
from tests.shopping import an_order, cash_out, stock_of


@pytest.fixture
def last(seller):
    """The last one of its kind."""
    return ProductFactory(seller=seller, item_number=1)


def test_a_buyer_who_dismissed_the_prompt_and_buys_again_can_pay_the_first_order(
    buyer_api, last, daraja
):
    placed = cash_out(buyer_api, (last, 1), key="k-1").json()
    attempt = ringing(OrderPayment.objects.get())
    post(Client(), attempt, failure(attempt))

    refused = cash_out(buyer_api, (last, 1), key="k-2")

    said = refused.json()
    assert (refused.status_code, said) == (
        400,
        {
            "order": [
                {
                    "number": [
                        f"Sold out: your own unpaid order holds 1 ({placed['reference']}). "
                        "Pay or cancel first."
                    ]
                }
            ],
            "code": "held_by_your_order",
            "order_token": placed["order_token"],
            "order_tokens": [placed["order_token"]],
        },
    )
    again = buyer_api.post(f"/cashout/{said['order_token']}/pay/")
    assert (again.status_code, again.json()["prompt"]["status"]) == (200, "requested")
    pushes = len(daraja.pushes)
    send_stk_push(Order.objects.get().pk)
    assert len(daraja.pushes) == pushes + 1


def test_an_order_that_holds_the_goods_can_be_cancelled_from_the_answer_alone(buyer_api, last):
    cash_out(buyer_api, (last, 1), key="k-1")
    refused = cash_out(buyer_api, (last, 1), key="k-2").json()

    buyer_api.post(f"/cashout/{refused['order_token']}/cancel/")

    assert cash_out(buyer_api, (last, 1), key="k-3").status_code == 201
    assert stock_of(last) == (1, 1)


def test_the_error_stays_on_the_line_that_exceeds_and_names_every_order(buyer, buyer_api, seller):
    pan, kettle = ProductFactory(seller=seller), ProductFactory(seller=seller, item_number=5)
    first, second = an_order(buyer, (kettle, 1)), an_order(buyer, (kettle, 2))

    refused = cash_out(buyer_api, (pan, 1), (kettle, 3), phone="0733000111").json()

    assert refused["order"] == [
        {},
        {
            "number": [
                f"Only 2 left: your own unpaid orders hold 3 ({second.reference}, "
                f"{first.reference}). Pay or cancel first."
            ]
        },
    ]
    assert refused["code"] == "held_by_your_order"
    assert refused["order_token"] == str(second.order_token)
    assert refused["order_tokens"] == [str(second.order_token), str(first.order_token)]


@pytest.mark.parametrize("whose", ["a stranger's", "cancelled", "paid for other goods"])
def test_goods_that_no_order_of_the_buyers_holds_are_sold_out_as_ever(
    buyer, buyer_api, last, seller, whose
):
    if whose == "cancelled":
        cancel_order(an_order(buyer, (last, 1)).pk, cancelled_by="staff")
    elif whose == "paid for other goods":
        an_order(buyer, (ProductFactory(seller=seller), 1))
    an_order(UserFactory(), (last, 1))

    refused = cash_out(buyer_api, (last, 1))

    assert (refused.status_code, refused.json()) == (400, {"order": [{"number": ["Sold out."]}]})


def test_an_own_order_whose_time_is_over_holds_nothing_any_more(buyer, buyer_api, last):
    an_order(buyer, (last, 1))
    Order.objects.update(expires_at=timezone.now())

    assert cash_out(buyer_api, (last, 1)).status_code == 201
