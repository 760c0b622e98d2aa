"""Buyers at the same moment, with real threads on PostgreSQL: every item is sold once."""

from collections import Counter
from datetime import timedelta
from threading import Event

import pytest
from django.utils import timezone

from accounts.addresses.services import add_address
from orders.lifecycle import NotUnpaid, cancel_order, expire_order, expire_unpaid_orders
from orders.models import Order, OrderTrack
from payments.checkout.stk_push import retry_payment
from payments.payouts.allocation import create_payouts
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from products import stock
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, cash_out, stock_of
from tests.threads import PATIENCE, at_once, many_at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def answers(responses):
    """How often each status was answered; an exception counts as itself."""
    return Counter(getattr(response, "status_code", repr(response)) for response in responses)


def test_two_hundred_buyers_of_fifty_items(seller):
    product = ProductFactory(seller=seller, item_number=50)
    buyers = [signed_in(UserFactory()) for _ in range(200)]

    responses = many_at_once(
        [
            lambda api=api, n=n: cash_out(api, (product, 1), phone=f"0712{n:06d}")
            for n, api in enumerate(buyers)
        ]
    )

    assert answers(responses) == {201: 50, 400: 150}
    refused = {str(response.json()) for response in responses if response.status_code == 400}
    assert refused == {"{'order': [{'number': ['Sold out.']}]}"}
    assert (Order.objects.count(), stock_of(product)) == (50, (50, 50))


def test_carts_in_opposite_order_do_not_wait_for_each_other_for_ever(seller):
    goods = [ProductFactory(seller=seller, item_number=30) for _ in range(4)]
    buyers = [signed_in(UserFactory()) for _ in range(40)]

    responses = many_at_once(
        [
            lambda api=api, n=n: cash_out(
                api,
                *[(product, 1) for product in (goods if n % 2 else reversed(goods))],
                phone=f"0712{n:06d}",
            )
            for n, api in enumerate(buyers)
        ]
    )

    assert answers(responses) == {201: 30, 400: 10}
    assert [stock_of(product) for product in goods] == [(30, 30)] * 4


def test_one_key_twelve_times_is_one_order(buyer, kettle):
    apis = [signed_in(buyer) for _ in range(12)]

    responses = at_once(*[lambda api=api: cash_out(api, (kettle, 2), key="k-1") for api in apis])

    counted = answers(responses)
    tokens = {r.json()["order_token"] for r in responses if r.status_code == 201}
    busy = {r.json()["code"] for r in responses if r.status_code == 409}
    assert set(counted) <= {201, 409}
    assert (len(tokens), busy) == (1, busy & {"idempotency_key_in_use"})
    assert (Order.objects.count(), stock_of(kettle)) == (1, (5, 2))


def test_a_twin_of_a_request_in_flight_is_told_to_ask_again(buyer, kettle, monkeypatch):
    inside, go_on, hold = Event(), Event(), stock.hold

    def first():
        return cash_out(signed_in(buyer), (kettle, 2), key="k-1")

    def twin():
        assert inside.wait(PATIENCE)
        try:
            return cash_out(signed_in(buyer), (kettle, 2), key="k-1")
        finally:
            go_on.set()

    def slowly(lines):
        inside.set()
        assert go_on.wait(PATIENCE)
        hold(lines)

    monkeypatch.setattr("products.stock.hold", slowly)

    placed, told = at_once(first, twin)

    assert (placed.status_code, told.status_code) == (201, 409)
    assert told.json()["code"] == "idempotency_key_in_use"
    assert Order.objects.count() == 1


def test_one_key_with_two_bodies_is_one_order(buyer, kettle):
    apis = [signed_in(buyer) for _ in range(8)]

    responses = at_once(
        *[lambda api=api, n=n: cash_out(api, (kettle, 1 + n % 2), key="k-1")
          for n, api in enumerate(apis)]
    )  # fmt: skip

    assert set(answers(responses)) <= {201, 409, 422}
    assert Order.objects.count() == 1


@pytest.mark.parametrize("turn", range(2))
def test_a_double_click_without_a_key_is_one_order_and_prompts_once(buyer, kettle, daraja, turn):
    apis = [signed_in(buyer) for _ in range(8)]

    responses = at_once(*[lambda api=api: cash_out(api, (kettle, 2)) for api in apis])

    assert answers(responses) == {201: 8}
    assert len({response.json()["order_token"] for response in responses}) == 1
    assert [r.get("Idempotent-Replayed") for r in responses].count("true") == 7
    assert (Order.objects.count(), stock_of(kettle), len(daraja.pushes)) == (1, (5, 2), 1)


def test_ten_cash_outs_of_one_buyer_are_three_orders(buyer, kettle):
    apis = [signed_in(buyer) for _ in range(10)]

    responses = at_once(
        *[lambda api=api, n=n: cash_out(api, (kettle, 1), phone=f"0712{n:06d}")
          for n, api in enumerate(apis)]
    )  # fmt: skip

    assert answers(responses) == {201: 3, 409: 7}
    assert (Order.objects.count(), stock_of(kettle)) == (3, (5, 3))


def test_parallel_orders_of_one_buyer_hold_twenty_units_at_most(buyer, seller):
    mugs = ProductFactory(seller=seller, item_number=100, price=10)
    apis = [signed_in(buyer) for _ in range(3)]

    responses = at_once(
        *[lambda api=api, n=n: cash_out(api, (mugs, 15), phone=f"0712{n:06d}")
          for n, api in enumerate(apis)]
    )  # fmt: skip

    assert answers(responses) == {201: 1, 400: 2}
    assert stock_of(mugs) == (100, 15)


@pytest.mark.parametrize("turn", range(2))
def test_the_last_one_is_sold_once(seller, turn):
    last = ProductFactory(seller=seller, item_number=1)
    buyers = [signed_in(UserFactory()) for _ in range(8)]

    responses = at_once(
        *[lambda api=api, n=n: cash_out(api, (last, 1), phone=f"0712{n:06d}")
          for n, api in enumerate(buyers)]
    )  # fmt: skip

    assert answers(responses) == {201: 1, 400: 7}
    assert stock_of(last) == (1, 1)


def test_goods_of_an_overdue_order_go_to_one_of_many_who_want_them(seller):
    last = ProductFactory(seller=seller, item_number=1)
    an_order(UserFactory(), (last, 1))
    Order.objects.update(expires_at=timezone.now())
    buyers = [signed_in(UserFactory()) for _ in range(8)]

    responses = at_once(
        *[lambda api=api, n=n: cash_out(api, (last, 1), phone=f"0712{n:06d}")
          for n, api in enumerate(buyers)]
    )  # fmt: skip

    assert answers(responses) == {201: 1, 400: 7}
    assert Counter(Order.objects.values_list("payment_status", flat=True)) == {
        "expired": 1,
        "requested": 1,
    }


def test_clocks_at_once_expire_each_order_once(seller):
    product = ProductFactory(seller=seller, item_number=30)
    for _ in range(10):
        an_order(UserFactory(), (product, 3))
    later = timezone.now() + timedelta(hours=1)

    expired = at_once(*[lambda: expire_unpaid_orders(now=later)] * 4)

    assert sum(expired) == 10
    assert stock_of(product) == (30, 0)


@pytest.mark.parametrize("turn", range(2))
def test_cancelling_and_expiring_at_once_frees_goods_once(buyer, kettle, turn):
    an_order(UserFactory(), (kettle, 3))
    order = an_order(buyer, (kettle, 2))

    at_once(
        lambda: cancel_order(order.pk, cancelled_by="staff"),
        lambda: expire_order(order.pk, now=order.expires_at),
        lambda: cancel_order(order.pk, cancelled_by="staff"),
    )

    assert stock_of(kettle) == (5, 3)
    assert OrderTrack.objects.get(order=order).events.count() == 1


def test_newcomers_of_one_network_at_once_hold_what_one_network_may(seller, settings):
    settings.UNPAID_GOODS_PER_NETWORK = 4
    goods = [ProductFactory(seller=seller) for _ in range(8)]
    apis = [signed_in(UserFactory()) for _ in range(8)]

    responses = at_once(
        *[lambda api=api, n=n: cash_out(api, (goods[n], 1), phone=f"0712{n:06d}")
          for n, api in enumerate(apis)]
    )  # fmt: skip

    assert answers(responses) == {201: 4, 409: 4}


def test_newcomers_with_one_phone_at_once_hold_what_one_phone_may(seller):
    goods = [ProductFactory(seller=seller) for _ in range(40)]
    apis = [signed_in(UserFactory()) for _ in range(4)]

    responses = at_once(
        *[lambda api=api, n=n: cash_out(api, *[(one, 1) for one in goods[10 * n : 10 * n + 10]])
          for n, api in enumerate(apis)]
    )  # fmt: skip

    assert answers(responses) == {201: 2, 409: 2}


def test_goods_whose_prompt_is_over_go_to_one_of_many_who_want_them(seller):
    last = ProductFactory(seller=seller, item_number=1)
    an_order(UserFactory(), (last, 1))
    Order.objects.update(preemptible_after=timezone.now())
    buyers = [signed_in(UserFactory()) for _ in range(6)]

    responses = at_once(
        *[lambda api=api, n=n: cash_out(api, (last, 1), phone=f"0712{n:06d}")
          for n, api in enumerate(buyers)]
    )  # fmt: skip

    assert answers(responses) == {201: 1, 400: 5}
    assert stock_of(last) == (1, 1)


@pytest.mark.parametrize("turn", range(2))
def test_ringing_again_while_another_wants_the_goods_keeps_them_or_not(seller, turn):
    last = ProductFactory(seller=seller, item_number=1)
    order = an_order(UserFactory(), (last, 1))
    order.payments.update(live=False, status="failed")
    Order.objects.update(preemptible_after=timezone.now())
    other = signed_in(UserFactory())

    rung, wanted = at_once(
        lambda: retry_payment(order), lambda: cash_out(other, (last, 1), phone="0733000111")
    )

    kept = rung is None
    assert (wanted.status_code, type(rung)) == ((400, type(None)) if kept else (201, NotUnpaid))
    assert stock_of(last) == (1, 1)


@pytest.mark.parametrize("turn", range(3))
def test_a_first_payment_and_all_that_waits_for_its_buyer_wait_for_each_other_no_longer(
    buyer, seller, turn
):
    """The payment writes the phone into a row that the others lock first."""
    goods = [ProductFactory(seller=seller) for _ in range(3)]
    orders = [an_order(buyer, (product, 1)) for product in goods[:2]]
    told = [
        (
            order.payments.get().pk,
            AttemptOutcome(True, "0", "", "callback", 1500, f"SGR{order.pk:07d}"),
        )
        for order in orders
    ]
    place = {"recipient": "W", "phone": "254712345678", "county": "nairobi", "area": "Kilimani"}

    raised = at_once(
        *[lambda each=each: record_outcome(*each) for each in told],
        lambda: an_order(buyer, (goods[0], 1), (goods[1], 1), (goods[2], 1)),
        lambda: add_address(buyer, place),
        lambda: create_payouts(buyer.pk),
    )

    assert [each for each in raised if isinstance(each, Exception)] == []
    buyer.refresh_from_db()
    assert buyer.phone == "254712345678"
    assert Order.objects.filter(payment_status="paid").count() == 2
