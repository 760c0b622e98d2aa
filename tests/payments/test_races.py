"""Money at the same moment as everything else, with real threads on PostgreSQL."""

import time
from collections import Counter
from datetime import timedelta
from importlib import import_module
from threading import Event

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Order
from orders.services import cancel_order, expire_order
from payments import clock, prompts
from payments.enquiry import check_payment
from payments.models import GatewayEvent, OrderPayment, Receipt
from payments.prompts import ring_again, ring_order
from payments.settlement import Outcome, settle
from products.models import StockMovement
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, shelf
from tests.threads import at_once, in_a_crowd

from .bodies import failure, post, success
from .conftest import ringing
from .fakes import PAID

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("daraja"),
]

TURNS = pytest.mark.parametrize("turn", range(2))


def callback(payment, told):
    return lambda: post(Client(), payment, told).status_code


@pytest.fixture
def payment(payment):
    """Rung, and its own push's after-commit done: nothing else is under way."""
    return ringing(payment)


def test_fifty_equal_callbacks_count_once(payment, kettle):
    told = success(payment)

    answered = in_a_crowd([callback(payment, told)] * 50, at_a_time=25)

    assert Counter(answered) == {200: 50}
    assert set(GatewayEvent.objects.values_list("state", flat=True)) == {"applied"}
    assert Receipt.objects.count() == 1
    assert StockMovement.objects.filter(quantity__lt=0).count() == 1
    assert shelf(kettle) == (3, 0)


@TURNS
def test_a_callback_and_expiry_at_once_end_paid(payment, kettle, turn):
    order = payment.order

    at_once(
        callback(payment, success(payment)),
        lambda: expire_order(order.pk, now=order.expires_at),
        lambda: clock.expire_unpaid_orders(order.expires_at),
    )

    order.refresh_from_db()
    assert (order.payment_status, shelf(kettle)) == ("paid", (3, 0))


@TURNS
def test_a_callback_and_a_cancellation_at_once_end_paid(payment, kettle, turn):
    order = payment.order

    at_once(
        callback(payment, success(payment)),
        callback(payment, failure(payment)),
        lambda: cancel_order(order.pk),
    )

    order.refresh_from_db()
    assert (order.payment_status, shelf(kettle)) == ("paid", (3, 0))


@TURNS
def test_late_money_and_a_new_buyer_want_the_same_last_goods(payment, kettle, turn):
    order, other = payment.order, UserFactory()
    expire_order(order.pk, now=order.expires_at)

    at_once(
        callback(payment, success(payment)),
        lambda: an_order(other, (kettle, 4), phone="254733000111"),
    )

    order.refresh_from_db()
    ends = (order.payment_status, Order.objects.count(), shelf(kettle))
    assert ends in [("paid", 1, (3, 0)), ("refund_due", 2, (5, 4))]


@TURNS
def test_ringing_again_six_times_at_once_rings_once(payment, buyer, daraja, turn):
    post(Client(), payment, failure(payment))
    address = f"/cashout/{payment.order.order_token}/pay/"

    pushes = len(daraja.pushes)
    answered = at_once(*[lambda: signed_in(buyer).post(address).status_code] * 6)

    assert Counter(answered) == {200: 1, 409: 5}
    assert len(daraja.pushes) - pushes == 1
    assert OrderPayment.objects.filter(live=True).count() == 1


@TURNS
def test_ringing_again_and_the_callback_of_the_lapsed_prompt_at_once(payment, kettle, buyer, turn):
    OrderPayment.objects.filter(pk=payment.pk).update(
        rung_at=timezone.now() - timedelta(seconds=121)
    )

    raised = at_once(
        lambda: ring_again(payment.order),
        callback(payment, success(payment)),
        lambda: ring_again(payment.order),
    )

    payment.refresh_from_db()
    assert (payment.status, payment.order.payment_status) == ("confirmed", "paid")
    assert not [error for error in raised if "deadlock" in repr(error)]


def test_ringing_again_while_a_live_prompt_is_confirmed_does_not_deadlock(payment, monkeypatch):
    """The one takes the attempt and then the order; the other must not go the other way."""
    slow_down(monkeypatch, "orders.signals.mark_order_paid")
    slow_down(monkeypatch, "payments.prompts.prolong")

    raised = at_once(
        callback(payment, success(payment)),
        lambda: ring_again(payment.order),
    )

    payment.refresh_from_db()
    assert payment.order.payment_status == "paid"
    assert type(raised[1]).__name__ in {"PromptOpen", "NotUnpaid"}
    assert set(GatewayEvent.objects.values_list("tries", flat=True)) == {0}


def test_a_failure_and_a_success_at_once_end_confirmed(payment, monkeypatch):
    slow_down(monkeypatch, "payments.settlement._close")
    no_money = Outcome(succeeded=False, code="1037", text="", door="query")
    money = Outcome(True, "0", "", "callback", amount=3000, receipt="SGL7654321")

    raised = at_once(*[lambda told=told: settle(payment.pk, told) for told in (no_money, money)])

    payment.refresh_from_db()
    assert payment.status == "confirmed"
    assert [error for error in raised if isinstance(error, Exception)] == []


def test_a_query_and_a_callback_at_once_are_one_receipt(payment, monkeypatch):
    slow_down(monkeypatch, "payments.settlement.is_counted")
    proven = Outcome(True, "0", "", "query")
    money = Outcome(True, "0", "", "callback", amount=3000, receipt="SGL7654321")

    raised = at_once(*[lambda told=told: settle(payment.pk, told) for told in (proven, money)])

    assert Receipt.objects.get().number == "SGL7654321"
    assert [error for error in raised if isinstance(error, Exception)] == []


def test_of_many_who_want_to_ask_one_does(payment, daraja, monkeypatch):
    slow_down(monkeypatch, "payments.enquiry._next_check")
    OrderPayment.objects.update(next_check_at=timezone.now())

    at_once(*[lambda: check_payment(payment.pk)] * 4)

    assert daraja.queries == [payment.checkout_request_id]


def slow_down(monkeypatch, name, seconds=0.2):
    """Hold what is locked for a while before going on."""
    module, attribute = name.rsplit(".", 1)
    step = getattr(import_module(module), attribute)

    def slowly(*args, **kwargs):
        time.sleep(seconds)
        return step(*args, **kwargs)

    monkeypatch.setattr(name, slowly)


def test_ringing_one_order_six_times_at_once_pushes_once(order, daraja):
    OrderPayment.objects.update(status="requested", rung_at=None, live=True)
    pushes = len(daraja.pushes)

    at_once(*[lambda: ring_order(order.pk)] * 6)

    assert len(daraja.pushes) - pushes == 1


@TURNS
def test_one_phone_rings_for_one_of_many_orders_at_once(buyer, seller, daraja, turn):
    product = ProductFactory(seller=seller, item_number=50)
    orders = [an_order(UserFactory(), (product, 1)) for _ in range(6)]
    OrderPayment.objects.update(
        status="requested", rung_at=None, live=True, result_code="", checkout_request_id=""
    )
    pushes = len(daraja.pushes)

    at_once(*[lambda order=order: ring_order(order.pk) for order in orders])

    assert len(daraja.pushes) - pushes == 1
    assert Counter(OrderPayment.objects.values_list("result_code", flat=True)) == {
        "": 1,
        "local.phone_busy": 5,
    }


@TURNS
def test_cancelling_while_the_phone_is_about_to_ring(order, daraja, turn):
    OrderPayment.objects.update(status="requested", rung_at=None, live=True, checkout_request_id="")
    pushes = len(daraja.pushes)

    at_once(lambda: ring_order(order.pk), lambda: cancel_order(order.pk))

    rung = len(daraja.pushes) - pushes
    payment = order.payments.get()
    assert (rung, payment.status) in [(1, "submitted"), (0, "failed")]


def test_a_cancellation_waits_for_a_phone_that_is_about_to_ring(order, monkeypatch):
    OrderPayment.objects.update(status="requested", rung_at=None, live=True, checkout_request_id="")
    about_to_ring, look = Event(), prompts._reason_not_to_ring

    def slowly(*args):
        about_to_ring.set()
        time.sleep(0.2)
        return look(*args)

    def cancel():
        about_to_ring.wait(5)
        cancel_order(order.pk)
        return order.payments.get().status

    monkeypatch.setattr(prompts, "_reason_not_to_ring", slowly)

    _, status_when_cancelled = at_once(lambda: ring_order(order.pk), cancel)

    assert status_when_cancelled in {"unknown", "submitted"}


@TURNS
def test_two_clocks_at_once_do_everything_once(payment, kettle, daraja, turn):
    daraja.answer = PAID
    OrderPayment.objects.update(next_check_at=timezone.now())
    waiting = an_order(UserFactory(), (kettle, 1), phone="254733000111")
    later = waiting.created_at + timedelta(hours=1)
    queries = len(daraja.queries)

    at_once(*[lambda: clock.tick(now=later)] * 3)

    payment.refresh_from_db()
    waiting.refresh_from_db()
    assert (payment.order.payment_status, waiting.payment_status) == ("paid", "expired")
    assert shelf(kettle) == (3, 0)
    assert Receipt.objects.count() == 1
    assert daraja.queries[queries:].count(payment.checkout_request_id) == 1


@TURNS
def test_one_receipt_for_two_attempts_at_once_counts_for_one(payment, seller, turn):
    product = ProductFactory(seller=seller, item_number=5, price=3000)
    elsewhere = an_order(UserFactory(), (product, 1), phone="254733000111")
    other = ringing(elsewhere.payments.get(), "ws_CO_2")

    at_once(
        callback(payment, success(payment, receipt="SGL7654321")),
        callback(other, success(other, receipt="SGL7654321")),
    )
    clock.tick(now=timezone.now() + timedelta(seconds=6))

    assert Receipt.objects.count() == 1
    assert Counter(Order.objects.values_list("payment_status", flat=True)) == {
        "paid": 1,
        "requested": 1,
    }
    assert set(GatewayEvent.objects.values_list("state", flat=True)) == {"applied"}
