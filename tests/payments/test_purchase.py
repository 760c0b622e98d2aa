"""A purchase over real HTTP: the shop on one port, the pretend Safaricom on another."""

import pytest

from payments.models import OrderPayment, Receipt, ReceiptSource
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from tests.shopping import cash_out, stock_of

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_paid_prompt_pays_the_order_and_stock_falls(buyer_api, kettle, simulator):
    placed = cash_out(buyer_api, (kettle, 2))
    settled(simulator)

    order = buyer_api.get(f"/cashout/{placed.json()['order_token']}/").json()
    assert placed.status_code == 201
    assert order["payment_status"] == "paid"
    assert order["order"][0]["track_status"] == "paid"
    assert _said(order) == ("confirmed", "paid", "Paid. Thank you!")
    assert stock_of(kettle) == (3, 0)
    assert [m.quantity for m in kettle.movements.order_by("pk")] == [5, -2]


def test_the_shops_books_and_safaricoms_tell_the_same_story(buyer_api, kettle, simulator):
    cash_out(buyer_api, (kettle, 2))
    settled(simulator)

    receipt = Receipt.objects.get()
    (entry,) = simulator.books()["entries"]
    assert (receipt.number, receipt.amount) == (entry["receipt"], entry["amount"])
    assert (receipt.source, receipt.order_id) == ("callback", receipt.payment.order_id)
    assert receipt.paid_at is not None


def test_a_cancelled_prompt_leaves_the_order_waiting_and_says_what_to_do(
    buyer_api, kettle, simulator
):
    placed = cash_out(buyer_api, (kettle, 2), phone="0712341032")
    settled(simulator)

    order = buyer_api.get(f"/cashout/{placed.json()['order_token']}/").json()
    assert order["payment_status"] == "requested"
    assert order["prompt"]["status"] == "failed"
    assert order["prompt"]["message"] == (
        "You cancelled on your phone. Try again when you are ready. Or pay by hand: "
        f"M-Pesa pay bill 174379, account {order['reference']}, KES 3,000."
    )
    assert stock_of(kettle) == (5, 2)


def test_a_second_prompt_on_another_phone_pays(buyer_api, kettle, simulator):
    placed = cash_out(buyer_api, (kettle, 2), phone="0712341032").json()
    settled(simulator)

    rung = buyer_api.post(f"/cashout/{placed['order_token']}/pay/", {"mpesa_number": 733000111})
    settled(simulator, events=2)

    order = buyer_api.get(f"/cashout/{placed['order_token']}/").json()
    assert rung.status_code == 200
    assert (order["payment_status"], order["mpesa_number"]) == ("paid", "254733000111")
    assert list(OrderPayment.objects.order_by("pk").values_list("status", flat=True)) == [
        "failed",
        "confirmed",
    ]


def test_an_answer_during_the_push_is_reported_immediately(buyer_api, kettle, daraja):
    paid = AttemptOutcome(succeeded=True, code="0", text="Paid", source=ReceiptSource.QUERY)
    daraja.on_push = lambda push: record_outcome(OrderPayment.objects.get().pk, paid)

    placed = cash_out(buyer_api, (kettle, 2)).json()

    assert (placed["payment_status"], placed["amount_due"]) == ("paid", 0)
    assert placed["order"][0]["track_status"] == "paid"
    assert _said(placed) == ("confirmed", "paid", "Paid. Thank you!")


def _said(order):
    return tuple(order["prompt"][name] for name in ("status", "code", "message"))
