"""Callbacks that come late, twice, in the wrong order, early, forged or never, over real HTTP."""

import pytest

from daraja_simulator.tests.waiting import wait_until
from orders.models import Order
from payments import clock
from payments.models import GatewayEvent, OrderPayment, Receipt
from products.models import StockMovement
from tests.shopping import cash_out, stock_of

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)


def stand():
    return OrderPayment.objects.get().status, Order.objects.get().payment_status


def states():
    return sorted(GatewayEvent.objects.values_list("state", flat=True))


def ask_now():
    """Let the next check be due, and run the clock."""
    OrderPayment.objects.filter(next_check_at__isnull=False).update(
        next_check_at="2026-01-01T00:00:00Z"
    )
    return clock.run_periodic()


@pytest.mark.long
def test_fifty_callbacks_at_once_are_one_payment(buyer_api, kettle, simulator):
    simulator.script(callbacks=50, together=True)

    cash_out(buyer_api, (kettle, 2))
    settled(simulator, events=50)

    assert stand() == ("confirmed", "paid")
    assert states() == ["applied"] * 50
    assert Receipt.objects.count() == 1
    assert StockMovement.objects.filter(quantity__lt=0).count() == 1
    assert stock_of(kettle) == (3, 0)
    assert {call["status"] for call in simulator.callbacks} == {200}


@pytest.mark.parametrize("order", ["failure_then_success", "success_then_failure"])
def test_success_beats_failure_in_either_order(buyer_api, kettle, simulator, order):
    simulator.script(reorder=order)

    cash_out(buyer_api, (kettle, 2))
    settled(simulator, events=2)

    assert stand() == ("confirmed", "paid")
    assert stock_of(kettle) == (3, 0)


def test_a_callback_that_is_faster_than_the_answer_pays(buyer_api, kettle, simulator):
    simulator.script(callback_before_answer=True)

    placed = cash_out(buyer_api, (kettle, 2))
    settled(simulator)

    payment = OrderPayment.objects.get()
    assert placed.status_code == 201
    assert stand() == ("confirmed", "paid")
    assert payment.checkout_request_id == simulator.prompts()[0]["checkout_request_id"]


@pytest.mark.parametrize("how", ["wrong_token", "no_token"])
def test_a_forged_success_pays_nothing(buyer_api, kettle, simulator, how):
    simulator.script(forge=how, outcome="1032")

    cash_out(buyer_api, (kettle, 2))
    settled(simulator, events=2)

    assert Order.objects.get().payment_status == "requested"
    assert not Receipt.objects.exists()
    assert stock_of(kettle) == (5, 2)


def test_a_payment_of_less_waits_for_the_rest_and_the_buyer_is_told(buyer_api, kettle, simulator):
    simulator.script(paid_amount=1)

    placed = cash_out(buyer_api, (kettle, 2)).json()
    settled(simulator)

    order = buyer_api.get(f"/cashout/{placed['order_token']}/").json()
    assert (order["payment_status"], order["amount_due"]) == ("requested", 2999)
    assert (order["prompt"]["status"], order["prompt"]["code"]) == ("confirmed", "short")
    assert order["prompt"]["message"] == (
        "We received KES 1 of KES 3,000. Pay the remaining KES 2,999 before the time runs out. "
        f"Or pay by hand: M-Pesa pay bill 174379, account {order['reference']}, KES 2,999."
    )
    assert Receipt.objects.get().waiting


@pytest.mark.parametrize(
    "shape",
    [
        {"amount_as": "int"},
        {"amount_as": "text"},
        {"payer": "masked"},
        {"payer": "absent"},
        {"balance": "text"},
        {"balance": "absent", "shuffle": True},
    ],
)
def test_every_shape_a_callback_was_seen_in_pays(buyer_api, kettle, simulator, shape):
    simulator.script(**shape)

    cash_out(buyer_api, (kettle, 2))
    settled(simulator)

    assert stand() == ("confirmed", "paid")


def test_without_a_callback_m_pesa_is_asked(buyer_api, kettle, simulator):
    simulator.script(callbacks=0)
    cash_out(buyer_api, (kettle, 2))
    simulator.wait_until_quiet()

    ask_now()

    receipt = Receipt.objects.get()
    assert stand() == ("confirmed", "paid")
    assert (receipt.number, receipt.amount, receipt.source) == ("", 3000, "query")
    assert stock_of(kettle) == (3, 0)


def test_a_callback_after_the_query_completes_the_receipt_and_counts_nothing_twice(
    buyer_api, kettle, simulator
):
    simulator.script(callback_delay=60)
    cash_out(buyer_api, (kettle, 2))
    wait_until(lambda: simulator.prompts()[0]["result_code"])
    ask_now()
    unnumbered = Receipt.objects.get().number

    simulator.advance(60)
    settled(simulator)

    receipt = Receipt.objects.get()
    assert unnumbered == ""
    assert receipt.number == simulator.books()["entries"][0]["receipt"]
    assert receipt.source == "callback"
    assert stock_of(kettle) == (3, 0)


@pytest.mark.parametrize("mode", ["4999", "processing", "unknown", "invalid"])
def test_a_query_that_says_nothing_changes_nothing(buyer_api, kettle, simulator, mode):
    simulator.script(callbacks=0, query=mode)
    cash_out(buyer_api, (kettle, 2))
    simulator.wait_until_quiet()

    ask_now()

    assert stand() == ("submitted", "requested")
    assert OrderPayment.objects.get().next_check_at is not None
    assert stock_of(kettle) == (5, 2)


@pytest.mark.parametrize("refuse", ["too_many_requests", "unavailable", "busy", "empty"])
def test_a_query_that_is_refused_changes_nothing(buyer_api, kettle, simulator, refuse):
    simulator.script(callbacks=0)
    cash_out(buyer_api, (kettle, 2))
    simulator.wait_until_quiet()
    simulator.script(operation="stk_query", refuse=refuse)

    ask_now()
    refused = stand()
    ask_now()

    assert refused == ("submitted", "requested")
    assert stand() == ("confirmed", "paid")


def test_a_query_that_contradicts_a_paid_callback_changes_nothing(buyer_api, kettle, simulator):
    simulator.script(query="contradictory")
    cash_out(buyer_api, (kettle, 2))
    settled(simulator)
    OrderPayment.objects.update(next_check_at="2026-01-01T00:00:00Z")

    clock.run_periodic()

    assert stand() == ("confirmed", "paid")
    assert OrderPayment.objects.get().next_check_at is None


def test_a_callback_overturns_a_query_that_said_failed(buyer_api, kettle, simulator):
    simulator.script(query="contradictory", callback_delay=60)
    cash_out(buyer_api, (kettle, 2))
    wait_until(lambda: simulator.prompts()[0]["result_code"])
    ask_now()
    asked = stand()

    simulator.advance(60)
    settled(simulator)

    assert asked == ("failed", "requested")
    assert stand() == ("confirmed", "paid")
