"""Prompting again: only for a buyer, one prompt at a time, while goods are reserved."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.lifecycle import NotUnpaid, expire_order
from orders.models import Order
from payments.checkout.stk_push import PromptOpen, retry_payment, send_stk_push
from payments.models import OrderPayment
from tests.conftest import signed_in
from tests.factories import UserFactory
from tests.shopping import an_order

from .bodies import failure, post, success


@pytest.fixture
def failed(client, payment):
    """An attempt whose prompt was dismissed."""
    post(client, payment, failure(payment))
    payment.refresh_from_db()
    return payment


def attempts(order):
    return list(order.payments.order_by("pk").values_list("phone", "status", "live"))


def test_after_a_failure_the_same_phone_is_prompted_again(order, failed):
    retry_payment(order)

    assert attempts(order) == [
        ("254712345678", "failed", False),
        ("254712345678", "requested", True),
    ]


def test_another_phone_is_prompted_if_given_and_the_order_keeps_it(order, failed, buyer_api):
    response = buyer_api.post(f"/cashout/{order.order_token}/pay/", {"mpesa_number": "0733000111"})

    assert (response.status_code, response.json()["mpesa_number"]) == (200, "254733000111")
    assert response.json()["prompt"]["status"] == "requested"
    assert attempts(order)[1][0] == "254733000111"


def test_a_prompt_that_is_open_is_not_followed_by_another(order, payment, buyer_api):
    response = buyer_api.post(f"/cashout/{order.order_token}/pay/", {"mpesa_number": "0733000111"})

    order.refresh_from_db()
    assert (response.status_code, response.json()["code"]) == (409, "prompt_open")
    assert (len(attempts(order)), order.mpesa_number) == (1, "254712345678")


def test_a_refusal_says_in_how_many_seconds_it_can_be_prompted_again(order, payment, buyer):
    with time_machine.travel(payment.rung_at + timedelta(seconds=30), tick=False):
        api = signed_in(buyer)
        refused = api.post(f"/cashout/{order.order_token}/pay/")
        shown = api.get(f"/cashout/{order.order_token}/").json()["prompt"]["ring_again_in"]

    assert (refused.status_code, refused["Retry-After"], shown) == (409, "91", 91)
    after = payment.rung_at + timedelta(seconds=30 + shown)
    with time_machine.travel(after, tick=False):
        assert signed_in(buyer).post(f"/cashout/{order.order_token}/pay/").status_code == 200


def test_a_prompt_no_phone_shows_any_more_may_be_followed_by_another(order, payment):
    now = payment.rung_at + timedelta(seconds=121)

    retry_payment(order, now=now)

    assert [(status, live) for _, status, live in attempts(order)] == [
        ("submitted", False),
        ("requested", True),
    ]


def test_a_prompt_is_open_for_two_minutes(order, payment):
    with pytest.raises(PromptOpen):
        retry_payment(order, now=payment.rung_at + timedelta(seconds=120))


def test_an_attempt_nobody_sent_in_a_minute_may_be_followed_by_another(order):
    unsent = order.payments.get()

    retry_payment(order, now=unsent.created_at + timedelta(seconds=61))

    unsent.refresh_from_db()
    assert (unsent.status, unsent.live, unsent.result_code) == ("failed", False, "local.not_sent")
    assert len(attempts(order)) == 2


@pytest.mark.parametrize("status", ["paid", "cancelled", "expired", "refund_due"])
def test_a_closed_order_is_not_prompted_again(client, order, payment, buyer_api, status):
    post(client, payment, success(payment) if status == "paid" else failure(payment))
    if status == "expired":
        expire_order(order.pk, now=order.expires_at)
    elif status != "paid":
        buyer_api.post(f"/cashout/{order.order_token}/cancel/")

    response = buyer_api.post(f"/cashout/{order.order_token}/pay/")

    assert (response.status_code, response.json()["code"]) == (409, "order_closed")
    assert len(attempts(order)) == 1


def test_an_overdue_order_expires_instead_of_ringing(order, failed, buyer_api):
    Order.objects.update(expires_at=timezone.now())

    response = buyer_api.post(f"/cashout/{order.order_token}/pay/")

    order.refresh_from_db()
    assert (response.status_code, order.payment_status) == (409, "expired")


def test_goods_stay_held_for_five_minutes_after_ringing_again(order, failed):
    now = order.expires_at - timedelta(seconds=30)

    retry_payment(order, now=now)

    order.refresh_from_db()
    assert order.expires_at == now + timedelta(minutes=5)


def test_ringing_early_takes_no_time_away(order, failed):
    before = order.expires_at

    retry_payment(order, now=order.created_at)

    order.refresh_from_db()
    assert order.expires_at == before


def test_no_ringing_holds_goods_beyond_the_hard_limit(order, failed):
    Order.objects.update(expires_at=order.held_until)

    retry_payment(order, now=order.held_until - timedelta(seconds=1))
    order.refresh_from_db()

    assert order.expires_at == order.held_until
    OrderPayment.objects.filter(live=True).update(status="failed", live=False)
    with pytest.raises(NotUnpaid):
        retry_payment(order, now=order.held_until)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ([], 400),
        ("text", 400),
        ({"mpesa_number": None}, 400),
        ({"mpesa_number": "1"}, 400),
        ({"mpesa_number": 1.5}, 400),
        ({}, 200),
    ],
)
def test_an_unreadable_body_sends_no_prompt(order, failed, buyer_api, sent, status):
    response = buyer_api.post(f"/cashout/{order.order_token}/pay/", sent)

    assert response.status_code == status
    assert len(attempts(order)) == (2 if status == 200 else 1)


def test_a_phone_is_prompted_for_one_order_at_a_time(order, payment, kettle, daraja):
    other = an_order(UserFactory(), (kettle, 1))

    send_stk_push(other.pk)

    assert daraja.pushes == []
    assert other.payments.get().result_code == "local.phone_busy"


def test_a_phone_is_free_again_when_its_prompt_lapsed(order, payment, kettle, daraja):
    OrderPayment.objects.update(rung_at=timezone.now() - timedelta(seconds=121))
    other = an_order(UserFactory(), (kettle, 1))

    send_stk_push(other.pk)

    assert len(daraja.pushes) == 1


@pytest.mark.parametrize("end", ["cancelled", "expired"])
def test_the_phone_does_not_ring_for_an_order_that_ended_meanwhile(order, daraja, buyer_api, end):
    if end == "cancelled":
        buyer_api.post(f"/cashout/{order.order_token}/cancel/")
    else:
        Order.objects.update(expires_at=timezone.now())

    send_stk_push(order.pk)

    assert daraja.pushes == []
    assert order.payments.get().result_code == "local.not_sent"


def test_the_phone_does_not_ring_for_what_was_asked_a_minute_ago(order, daraja):
    with time_machine.travel(order.created_at + timedelta(seconds=61)):
        send_stk_push(order.pk)

    assert daraja.pushes == []


def test_ringing_an_order_twice_pushes_once(order, daraja):
    send_stk_push(order.pk)
    send_stk_push(order.pk)

    assert len(daraja.pushes) == 1
    assert order.payments.get().status == "submitted"


def test_a_buyer_cannot_ring_for_anothers_order(order, failed):
    response = signed_in(UserFactory()).post(f"/cashout/{order.order_token}/pay/")

    assert response.status_code == 404
    assert len(attempts(order)) == 1
