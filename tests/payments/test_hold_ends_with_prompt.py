"""A reservation ends soon after its prompt, and immediately if other buyers are waiting."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.lifecycle import end_prompt, preempt_holds
from orders.models import Order
from payments.checkout.stk_push import expire_stk_pushes, retry_payment, send_stk_push
from payments.daraja.errors import DarajaRefusal, DarajaRefused
from payments.models import OrderPayment
from tests.conftest import signed_in
from tests.factories import UserFactory
from tests.shopping import an_order, cash_out, stock_of

from .bodies import by_hand, failure, post, post_c2b, success


def minutes_left(order):
    order.refresh_from_db()
    return round((order.expires_at - timezone.now()).total_seconds() / 60)


def is_exclusive(order):
    order.refresh_from_db()
    return order.preemptible_after > timezone.now()


@pytest.mark.parametrize("code", [1032, 1037, 2001, 1])
def test_a_prompt_that_fails_leaves_five_minutes(client, order, payment, code):
    before = minutes_left(order), is_exclusive(order)

    post(client, payment, failure(payment, code=code))

    assert before == (15, True)
    assert (minutes_left(order), is_exclusive(order)) == (5, False)


def test_a_silent_prompt_leaves_five_minutes(order, payment):
    OrderPayment.objects.update(rung_at=timezone.now() - timedelta(seconds=121))

    expire_stk_pushes(now=timezone.now())

    assert (minutes_left(order), is_exclusive(order)) == (5, False)


def test_a_phone_that_cannot_ring_leaves_five_minutes(order, payment, kettle, daraja):
    other = an_order(UserFactory(), (kettle, 1))

    send_stk_push(other.pk)

    assert other.payments.get().result_code == "local.phone_busy"
    assert (minutes_left(other), is_exclusive(other)) == (5, False)


@pytest.mark.parametrize(
    ("kind", "left"), [(DarajaRefusal.BAD_REQUEST, 5), (DarajaRefusal.CONFIGURATION, 15)]
)
def test_only_what_is_no_fault_of_the_buyers_leaves_the_whole_hold(order, daraja, kind, left):
    def refuse(push):
        raise DarajaRefused("no", kind=kind)

    daraja.on_push = refuse

    send_stk_push(order.pk)

    assert order.payments.get().status == "failed"
    assert minutes_left(order) == left


def test_another_prompt_brings_the_whole_hold_back(client, order, payment):
    post(client, payment, failure(payment))

    retry_payment(order)

    assert (minutes_left(order), is_exclusive(order)) == (15, True)


def test_news_of_an_old_prompt_does_not_end_the_hold_of_the_next(client, order, payment):
    OrderPayment.objects.update(rung_at=timezone.now() - timedelta(seconds=121))
    retry_payment(order)

    post(client, payment, failure(payment))

    assert (minutes_left(order), is_exclusive(order)) == (15, True)


def test_the_last_ones_go_to_the_next_buyer_once_the_prompt_is_cancelled(
    client, order, payment, kettle, daraja
):
    other = signed_in(UserFactory())
    while_it_rings = cash_out(other, (kettle, 5), phone="0733000111")
    post(client, payment, failure(payment))

    bought = cash_out(other, (kettle, 5), phone="0733000111")

    order.refresh_from_db()
    assert (while_it_rings.status_code, bought.status_code) == (400, 201)
    assert (order.payment_status, stock_of(kettle)) == ("expired", (5, 5))


def test_late_money_for_goods_that_went_to_another_goes_back(
    client, order, payment, kettle, daraja, buyer_api
):
    post(client, payment, failure(payment))
    cash_out(signed_in(UserFactory()), (kettle, 5), phone="0733000111")

    post(client, payment, success(payment))

    told = buyer_api.get(f"/cashout/{order.order_token}/").json()
    assert (told["payment_status"], stock_of(kettle)) == ("refund_due", (5, 5))


def test_late_money_takes_goods_again_that_the_other_did_not_pay_for(
    client, order, payment, kettle, daraja
):
    post(client, payment, failure(payment))
    other = signed_in(UserFactory())
    token = cash_out(other, (kettle, 5), phone="0733000111").json()["order_token"]
    other.post(f"/cashout/{token}/cancel/")

    post(client, payment, success(payment))

    order.refresh_from_db()
    assert (order.payment_status, stock_of(kettle)) == ("paid", (3, 0))


def test_a_prompt_that_fails_near_the_end_leaves_the_goods_to_the_buyer_who_has_half_paid(
    client, order, payment, kettle
):
    post_c2b(client, by_hand(order.reference, 1500))
    order.refresh_from_db()
    near_the_end = order.held_until - timedelta(minutes=2)
    Order.objects.update(expires_at=order.held_until)

    end_prompt(order.pk, now=near_the_end)

    order.refresh_from_db()
    assert (order.expires_at, order.preemptible_after) == (order.held_until, order.held_until)
    assert preempt_holds({kettle.pk: 5}, to=UserFactory().pk, now=near_the_end) == 0


def test_a_prompt_failing_near_the_end_of_a_part_paid_order_releases_its_goods(
    client, order, payment, kettle
):
    post_c2b(client, by_hand(order.reference, 1499))
    order.refresh_from_db()
    near_the_end = order.held_until - timedelta(minutes=2)
    Order.objects.update(expires_at=order.held_until)

    end_prompt(order.pk, now=near_the_end)

    assert preempt_holds({kettle.pk: 5}, to=UserFactory().pk, now=near_the_end) == 1


@pytest.mark.parametrize(("came", "answer"), [(1500, 400), (1499, 201)])
def test_half_of_the_money_keeps_the_goods_from_others(
    client, order, payment, kettle, daraja, came, answer
):
    post_c2b(client, by_hand(order.reference, came))
    post(client, payment, failure(payment))

    wanted = cash_out(signed_in(UserFactory()), (kettle, 5), phone="0733000111")

    assert wanted.status_code == answer


def test_an_attempt_that_could_not_be_marked_as_failed_is_in_the_next_round(
    payment, monkeypatch, caplog
):
    """M-Pesa did not accept it at first, so it was tried, and never sent."""
    long_ago = timezone.now() - timedelta(minutes=5)
    OrderPayment.objects.update(status="requested", rung_at=long_ago, created_at=long_ago)

    with monkeypatch.context() as patched:
        patched.setattr("payments.checkout.stk_push._abandon", lambda *about, **how: 1 / 0)
        expire_stk_pushes(now=timezone.now())
    payment.refresh_from_db()
    assert (payment.status, payment.live) == ("requested", True)

    expire_stk_pushes(now=timezone.now())

    payment.refresh_from_db()
    assert (payment.status, payment.live) == ("failed", False)
