"""A crash at any step costs seconds: the clock finds what was lost, and does nothing twice."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders.models import Order
from payments import clock, ledger
from payments.checkout import stk_push as prompts
from payments.models import GatewayEvent, OrderPayment
from tests.shopping import cash_out, stock_of

from .bodies import failure, post, success
from .fakes import PAID, FakeDaraja

pytestmark = pytest.mark.django_db(transaction=True)


class PowerCut(BaseException):
    """Not an Exception, so that nothing of ours catches it."""


@pytest.fixture(autouse=True)
def daraja(monkeypatch):
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)
    return fake


def cut_power(*args, **kwargs):
    raise PowerCut


def tick(seconds):
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds)):
        return clock.run_periodic()


def test_between_the_commit_and_the_push_the_clock_prompts(buyer_api, kettle, daraja, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("omachemainproj.background.run_task", cut_power)
        with pytest.raises(PowerCut):
            cash_out(buyer_api, (kettle, 2))
    too_soon = tick(4), len(daraja.pushes)

    done = tick(6)

    assert (too_soon[0]["send_forgotten_stk_pushes"], too_soon[1]) == (0, 0)
    assert (done["send_forgotten_stk_pushes"], len(daraja.pushes)) == (1, 1)
    assert OrderPayment.objects.get().status == "submitted"


def test_between_the_commit_and_the_push_nobody_is_prompted_after_a_minute(
    buyer_api, kettle, daraja, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr("omachemainproj.background.run_task", cut_power)
        with pytest.raises(PowerCut):
            cash_out(buyer_api, (kettle, 2))

    tick(61)

    payment = OrderPayment.objects.get()
    assert (payment.status, payment.result_code, daraja.pushes) == ("failed", "local.not_sent", [])


def test_between_the_claim_and_the_push_nobody_pushes_again(buyer_api, kettle, daraja, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(prompts, "_push", cut_power)
        with pytest.raises(PowerCut):
            cash_out(buyer_api, (kettle, 2))

    for seconds in (6, 70, 130, 400):
        tick(seconds)

    payment = OrderPayment.objects.get()
    assert (payment.status, payment.live, daraja.pushes) == ("unknown", False, [])
    assert stock_of(kettle) == (5, 2)


def test_between_the_push_and_storing_its_ids_the_callback_brings_them(
    buyer_api, kettle, daraja, client
):
    daraja.on_push = cut_power
    with pytest.raises(PowerCut):
        cash_out(buyer_api, (kettle, 2))
    tick(6)
    payment = OrderPayment.objects.get()
    at_first = (payment.status, payment.checkout_request_id, len(daraja.pushes))

    post(client, payment, success(payment, checkout="ws_CO_7", merchant="m-7"))

    payment.refresh_from_db()
    assert at_first == ("unknown", "", 1)
    assert (payment.status, payment.checkout_request_id) == ("confirmed", "ws_CO_7")
    assert (Order.objects.get().payment_status, stock_of(kettle)) == ("paid", (3, 0))


def test_after_the_push_an_answer_that_cannot_be_written_leaves_it_unknown(
    buyer_api, kettle, daraja, client, monkeypatch
):
    def disk_full(push):
        raise OSError("no space left on device")

    daraja.on_push = disk_full

    placed = cash_out(buyer_api, (kettle, 2))

    payment = OrderPayment.objects.get()
    assert (placed.status_code, payment.status, payment.live) == (201, "unknown", True)


def test_between_keeping_and_acting_the_clock_acts(buyer_api, kettle, client, monkeypatch):
    cash_out(buyer_api, (kettle, 2))
    payment = OrderPayment.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr("payments.webhooks.views.enqueue", cut_power)
        with pytest.raises(PowerCut):
            post(client, payment, success(payment))
    kept = GatewayEvent.objects.get().state
    too_soon = tick(4)["process_stored_events"]

    done = tick(6)["process_stored_events"]

    assert (kept, too_soon, done) == ("new", 0, 1)
    assert (Order.objects.get().payment_status, stock_of(kettle)) == ("paid", (3, 0))


@pytest.mark.parametrize(
    "step",
    [
        "payments.webhooks.stk_callback.read_stk_callback",
        "payments.webhooks.stk_callback.record_outcome_locked",
        "payments.reconciliation.outcomes.refund_excess_locked",
        "payments.ledger.post",
        "payments.models.GatewayEvent.set_state",
        "payments.signals.mark_order_paid",
        "orders.signals.sync_lines",
        "orders.signals.take_stock_of_order",
    ],
)
def test_in_the_middle_of_acting_all_is_taken_back_and_done_again(
    buyer_api, kettle, client, monkeypatch, step
):
    cash_out(buyer_api, (kettle, 2))
    payment = OrderPayment.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr(step, cut_power)
        with pytest.raises(PowerCut):
            post(client, payment, success(payment))
    cut = GatewayEvent.objects.get().state, Order.objects.get().payment_status, stock_of(kettle)

    tick(6)

    assert cut == ("new", "requested", (5, 2))
    assert GatewayEvent.objects.get().state == "applied"
    assert (Order.objects.get().payment_status, stock_of(kettle)) == ("paid", (3, 0))


def test_between_asking_and_writing_the_answer_it_is_asked_again(
    buyer_api, kettle, daraja, monkeypatch
):
    cash_out(buyer_api, (kettle, 2))
    daraja.answer = PAID
    with monkeypatch.context() as patch:
        patch.setattr("payments.reconciliation.status_query.record_outcome", cut_power)
        with pytest.raises(PowerCut):
            tick(31)
    cut = Order.objects.get().payment_status

    tick(61)

    assert (cut, Order.objects.get().payment_status) == ("requested", "paid")
    assert len(daraja.queries) == 2


def test_between_moving_an_order_and_freeing_its_goods_both_are_taken_back(
    buyer_api, kettle, client, monkeypatch
):
    cash_out(buyer_api, (kettle, 2))
    payment = OrderPayment.objects.get()
    post(client, payment, failure(payment))
    with monkeypatch.context() as patch:
        patch.setattr("products.stock.release", cut_power)
        with pytest.raises(PowerCut):
            tick(901)
    cut = Order.objects.get().payment_status, stock_of(kettle)

    tick(901)

    assert cut == ("requested", (5, 2))
    assert (Order.objects.get().payment_status, stock_of(kettle)) == ("expired", (5, 0))


def test_a_payment_whose_order_never_heard_of_it_is_found(buyer_api, kettle):
    cash_out(buyer_api, (kettle, 2))
    payment = OrderPayment.objects.get()
    payment.status, payment.live, payment.confirmed_at = "confirmed", False, timezone.now()
    payment.save_base(raw=True)
    ledger.post_receipt(payment.order.receipts.create(payment=payment, amount=3000, source="query"))

    done = tick(1)["sync_unsynced_orders"]

    assert (done, tick(1)["sync_unsynced_orders"]) == (1, 0)
    assert (Order.objects.get().payment_status, stock_of(kettle)) == ("paid", (3, 0))
