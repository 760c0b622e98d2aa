"""One key, one order: a retry is answered with the order its first try placed."""

import pytest
from django.utils import timezone

from orders.idempotency import RequestInProgress
from orders.models import Order
from tests.conftest import signed_in
from tests.factories import UserFactory
from tests.shopping import an_order, body, cash_out, stock_of


def test_the_same_request_under_one_key_returns_the_same_order(buyer_api, kettle):
    first = cash_out(buyer_api, (kettle, 2), key="k-1")
    again = cash_out(buyer_api, (kettle, 2), key="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert (Order.objects.count(), stock_of(kettle)) == (1, (5, 2))


def test_the_same_lines_written_otherwise_are_the_same_request(buyer_api, kettle):
    first = cash_out(buyer_api, (kettle, 2), phone="0712345678", key="k-1")
    again = cash_out(buyer_api, (kettle, 1), (kettle, 1), phone="+254712345678", key="k-1")

    assert again.json()["order_token"] == first.json()["order_token"]


@pytest.mark.parametrize("changed", [{"number": 1}, {"phone": "0712345679"}])
def test_another_request_under_the_same_key_is_refused(buyer_api, kettle, changed):
    cash_out(buyer_api, (kettle, 2), key="k-1")

    number = changed.get("number", 2)
    response = cash_out(
        buyer_api, (kettle, number), phone=changed.get("phone", "0712345678"), key="k-1"
    )

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert (Order.objects.count(), stock_of(kettle)) == (1, (5, 2))


def test_another_buyers_key_is_another_key(buyer_api, kettle):
    first = cash_out(buyer_api, (kettle, 1), key="k-1")
    other = cash_out(signed_in(UserFactory()), (kettle, 1), key="k-1")

    assert other.status_code == 201
    assert other.json()["order_token"] != first.json()["order_token"]


def test_a_refused_request_does_not_burn_its_key(buyer_api, kettle):
    refused = cash_out(buyer_api, (kettle, 6), key="k-1")
    placed = cash_out(buyer_api, (kettle, 5), key="k-1")

    assert (refused.status_code, placed.status_code) == (400, 201)


def test_a_retry_is_answered_though_the_buyer_may_place_no_more(buyer, buyer_api, kettle):
    first = cash_out(buyer_api, (kettle, 1), key="k-1")
    an_order(buyer, (kettle, 1))
    an_order(buyer, (kettle, 1))

    again = cash_out(buyer_api, (kettle, 1), key="k-1")

    assert again.json()["order_token"] == first.json()["order_token"]


def test_a_retry_tells_how_the_order_stands_now(buyer_api, kettle):
    cash_out(buyer_api, (kettle, 1), key="k-1")
    Order.objects.update(expires_at=timezone.now())

    again = cash_out(buyer_api, (kettle, 1), key="k-1")

    assert (again.status_code, again.json()["payment_status"]) == (201, "expired")


@pytest.mark.parametrize("key", ["!", "~" * 255, "a-b_c:9", '"quoted"'])
def test_visible_ascii_makes_a_key(buyer_api, kettle, key):
    assert cash_out(buyer_api, (kettle, 1), key=key).status_code == 201
    assert Order.objects.get().idempotency_key == key


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ké", "tab\there", "\x7f"])
def test_anything_else_is_no_key(buyer_api, kettle, key):
    response = cash_out(buyer_api, (kettle, 1), key=key)

    assert response.status_code == 400
    assert response.json() == {
        "Idempotency-Key": ["Send 1 to 255 visible ASCII characters, or no key."]
    }
    assert not Order.objects.exists()


def test_a_twin_in_flight_is_told_to_ask_again(buyer_api, kettle, monkeypatch):
    def busy(asked):
        raise RequestInProgress()

    monkeypatch.setattr("orders.cashout.refuse_concurrent_retry", busy)

    response = buyer_api.post("/cashout/", body((kettle, 1)), headers={"Idempotency-Key": "k"})

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_in_use")
