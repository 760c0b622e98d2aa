"""A double click without an Idempotency-Key creates one order, and the answer says so."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.lifecycle import cancel_order, expire_order
from orders.models import Order
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import cash_out, stock_of


@pytest.fixture
def now():
    with time_machine.travel(timezone.now(), tick=False) as now:
        yield now


def test_the_second_of_two_equal_cash_outs_is_answered_with_the_first_ones_order(buyer_api, kettle):
    first = cash_out(buyer_api, (kettle, 2))
    again = cash_out(buyer_api, (kettle, 2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert (Order.objects.count(), stock_of(kettle)) == (1, (5, 2))


def test_the_last_goods_are_held_once_though_they_were_asked_for_twice(buyer_api, seller):
    last = ProductFactory(seller=seller, item_number=1)

    cash_out(buyer_api, (last, 1))
    again = cash_out(buyer_api, (last, 1))

    assert (again.status_code, Order.objects.count(), stock_of(last)) == (201, 1, (1, 1))


def test_the_same_lines_and_phone_written_otherwise_are_the_same_cash_out(
    buyer_api, kettle, seller
):
    pan = ProductFactory(seller=seller)
    first = cash_out(buyer_api, (kettle, 2), (pan, 1), phone="0712345678")
    again = cash_out(buyer_api, (pan, 1), (kettle, 1), (kettle, 1), phone="+254 712 345 678")

    assert again.json()["order_token"] == first.json()["order_token"]


@pytest.mark.parametrize(("seconds", "orders"), [(14, 1), (16, 2)])
def test_after_fifteen_seconds_it_is_another_order(buyer_api, kettle, now, seconds, orders):
    cash_out(buyer_api, (kettle, 1))
    now.shift(timedelta(seconds=seconds))

    again = cash_out(buyer_api, (kettle, 1))

    assert (again.status_code, Order.objects.count()) == (201, orders)


@pytest.mark.parametrize("changed", ["number", "another line", "one line less", "phone"])
def test_another_cash_out_is_another_order(buyer_api, kettle, seller, changed):
    pan, pot = ProductFactory(seller=seller), ProductFactory(seller=seller)
    cash_out(buyer_api, (kettle, 1), (pan, 1))

    lines, phone = [(kettle, 1), (pan, 1)], "0712345678"
    if changed == "number":
        lines[1] = (pan, 2)
    elif changed == "another line":
        lines.append((pot, 1))
    elif changed == "one line less":
        del lines[1]
    else:
        phone = "0712345679"
    other = cash_out(buyer_api, *lines, phone=phone)

    assert (other.status_code, Order.objects.count()) == (201, 2)
    assert "Idempotent-Replayed" not in other


@pytest.mark.parametrize("end", ["paid", "cancelled", "expired", "overdue"])
def test_an_order_that_waits_for_nothing_more_is_not_given_again(buyer_api, kettle, end):
    cash_out(buyer_api, (kettle, 1))
    order = Order.objects.get()
    if end == "paid":
        told = AttemptOutcome(True, "0", "", "callback", 1500, "SGL0000001")
        record_outcome(order.payments.get().pk, told)
    elif end == "cancelled":
        cancel_order(order.pk, cancelled_by="staff")
    elif end == "expired":
        expire_order(order.pk, now=order.expires_at)
    else:
        Order.objects.update(expires_at=timezone.now())

    again = cash_out(buyer_api, (kettle, 1))

    assert (again.status_code, Order.objects.count()) == (201, 2)
    assert again.json()["order_token"] != str(order.order_token)


def test_another_buyer_with_the_same_phone_has_an_order_of_their_own(buyer_api, kettle):
    cash_out(buyer_api, (kettle, 1))
    cash_out(signed_in(UserFactory()), (kettle, 1))

    assert Order.objects.count() == 2


def test_a_key_of_its_own_makes_an_order_of_its_own(buyer_api, kettle):
    cash_out(buyer_api, (kettle, 1))
    keyed = cash_out(buyer_api, (kettle, 1), key="k-1")
    other_key = cash_out(buyer_api, (kettle, 1), key="k-2")

    assert "Idempotent-Replayed" not in {*keyed.headers, *other_key.headers}
    assert Order.objects.count() == 3


def test_without_a_key_an_order_that_was_placed_under_one_is_found_too(buyer_api, kettle):
    keyed = cash_out(buyer_api, (kettle, 1), key="k-1")
    again = cash_out(buyer_api, (kettle, 1))

    assert again.json()["order_token"] == keyed.json()["order_token"]


def test_a_double_click_is_answered_though_the_buyer_may_place_no_more(buyer_api, kettle):
    first = cash_out(buyer_api, (kettle, 1))
    cash_out(buyer_api, (kettle, 2), key="k-1")
    cash_out(buyer_api, (kettle, 2), key="k-2")

    again = cash_out(buyer_api, (kettle, 1))

    assert (again.status_code, Order.objects.count()) == (201, 3)
    assert again.json()["order_token"] == first.json()["order_token"]
