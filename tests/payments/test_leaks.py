"""No answer to a client contains an attempt's ids, its callback token or its receipt."""

import pytest

from payments.models import OrderPayment, Receipt
from tests.factories import UserFactory
from tests.shopping import an_order, body

from .bodies import failure, post, success

TOKEN = "0123456789abcdef0123456789abcdef"
SECRETS = [TOKEN, "ws_CO_SECRET", "m-ws_CO_SECRET", "SGLSECRET1", "secret text"]


@pytest.fixture
def order(buyer, kettle, monkeypatch):
    """Two kettles, and an attempt whose address is known."""
    address = OrderPayment._meta.get_field("callback_token")
    with monkeypatch.context() as patch:
        patch.setattr(address, "_get_default", lambda: TOKEN)
        return an_order(buyer, (kettle, 2))


@pytest.fixture
def attempt(order):
    OrderPayment.objects.update(
        checkout_request_id="ws_CO_SECRET",
        merchant_request_id="m-ws_CO_SECRET",
        status="submitted",
        rung_at=order.created_at,
        next_check_at=order.created_at,
        result_text="secret text",
    )
    return order.payments.get()


def everything_said(api, order, kettle):
    """Every endpoint about orders, with its whole answer: status line, headers, bytes."""
    own = f"/cashout/{order.order_token}/"
    answers = [
        api.get(own),
        api.get("/track/order/"),
        api.post(f"{own}pay/"),
        api.post(f"{own}pay/", {"mpesa_number": "no"}),
        api.post("/cashout/", body((kettle, 1)), headers={"Idempotency-Key": "k"}),
        api.post("/cashout/", body((kettle, 1)), headers={"Idempotency-Key": "k"}),
        api.post("/cashout/", body((kettle, 2)), headers={"Idempotency-Key": "k"}),
        api.post("/cashout/", body((kettle, 99))),
        api.get("/"),
        api.options(own),
        api.post(f"{own}cancel/"),
        api.get(own),
    ]
    return "".join(
        f"{answer.status_code} {answer.headers} {answer.content.decode()}" for answer in answers
    )


@pytest.mark.parametrize("end", ["none", "paid", "failed"])
def test_no_endpoint_says_what_only_the_gateway_may_know(
    client, order, attempt, kettle, buyer_api, end
):
    if end == "paid":
        post(client, attempt, success(attempt, receipt="SGLSECRET1"))
        assert Receipt.objects.get().number == "SGLSECRET1"
    if end == "failed":
        post(client, attempt, failure(attempt))

    said = everything_said(buyer_api, order, kettle)

    assert str(order.order_token) in said
    assert [secret for secret in SECRETS if secret in said] == []


def test_the_webhook_answers_the_same_to_all(client, attempt):
    told = success(attempt, receipt="SGLSECRET1")

    answers = {
        post(client, attempt, told).content,
        post(client, attempt, told).content,
        post(client, attempt, told, token="").content,
        post(client, attempt, told, token="f" * 32).content,
        post(client, attempt, b"not json").content,
        post(client, attempt, success(attempt, amount=1)).content,
    }

    assert answers == {b'{"ResultCode": 0, "ResultDesc": "Accepted"}'}


def test_a_seller_learns_nothing_of_who_pays_how(client, order, attempt, kettle, seller_api):
    post(client, attempt, success(attempt, receipt="SGLSECRET1"))
    an_order(UserFactory(), (kettle, 1))

    said = "".join(
        seller_api.get(address).content.decode()
        for address in ["/", "/track/order/", f"/cashout/{order.order_token}/"]
    )

    assert order.mpesa_number not in said
    assert order.reference not in said
