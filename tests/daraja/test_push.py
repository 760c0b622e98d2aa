"""The request of an STK push, and the meaning of each response."""

import base64
from datetime import datetime

import pytest
import responses

from payments.daraja.client import DarajaClient, MemoryTokenStore, PushAccepted
from payments.daraja.errors import DarajaRefusal, DarajaRefused, DarajaUnknown

from .conftest import A_PUSH, an_account
from .gateway import ACCEPTED, CHECKOUT_ID, MERCHANT_ID, PUSH, error, replies


def test_an_accepted_push_returns_both_request_ids(daraja):
    accepted = daraja.stk_push(**A_PUSH)

    assert accepted == PushAccepted(
        merchant_request_id=MERCHANT_ID,
        checkout_request_id=CHECKOUT_ID,
        customer_message="Success. Request accepted for processing",
    )


def test_a_push_sends_exactly_what_the_portal_asks_for(daraja, gateway):
    daraja.stk_push(**A_PUSH)

    (heard,) = gateway.heard_on(PUSH)
    assert heard.method == "POST"
    assert heard.headers["Content-Type"] == "application/json"
    assert heard.headers["Authorization"] == "Bearer token-1"
    assert heard.fields == {
        "BusinessShortCode": "174379",
        "Password": base64.b64encode(b"174379the-passkey20250201003015").decode(),
        "Timestamp": "20250201003015",
        "TransactionType": "CustomerPayBillOnline",
        "Amount": 1500,
        "PartyA": "254712345678",
        "PartyB": "174379",
        "PhoneNumber": "254712345678",
        "CallBackURL": "https://shop.co.ke/hook/0123abcd/",
        "AccountReference": "OMA7K2P9",
        "TransactionDesc": "O-Mache order",
    }


def test_the_clock_is_read_once_so_that_timestamp_and_password_agree(gateway, make_client):
    seconds = iter(range(60))

    def now():
        return datetime.fromisoformat(f"2025-01-31T10:00:{next(seconds):02}+03:00")

    make_client(gateway.url, now=now).stk_push(**A_PUSH)

    (heard,) = gateway.heard_on(PUSH)
    assert heard.fields["Timestamp"] == "20250131100000"
    assert base64.b64decode(heard.fields["Password"]) == b"174379the-passkey20250131100000"


def test_a_clock_without_a_zone_is_refused(gateway, make_client):
    daraja = make_client(gateway.url, now=lambda: datetime(2025, 1, 31))  # noqa: DTZ001

    with pytest.raises(ValueError, match="with its zone"):
        daraja.stk_push(**A_PUSH)
    assert gateway.heard == []


def test_a_till_is_credited_under_its_own_number(gateway, make_client):
    account = an_account(gateway.url, transaction_type="CustomerBuyGoodsOnline", party_b="5551234")

    make_client(gateway.url, account=account).stk_push(**A_PUSH)

    (heard,) = gateway.heard_on(PUSH)
    assert heard.fields["TransactionType"] == "CustomerBuyGoodsOnline"
    assert heard.fields["BusinessShortCode"] == "174379"
    assert heard.fields["PartyB"] == "5551234"


def test_a_base_url_may_end_with_a_slash(gateway, make_client):
    make_client(gateway.url + "/").stk_push(**A_PUSH)

    assert len(gateway.heard_on(PUSH)) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone", "0712345678"),
        ("phone", "+254712345678"),
        ("phone", "254212345678"),
        ("phone", "2547123456789"),
        ("phone", "254712345678\n"),
        ("phone", "25471234567\u0668"),
        ("phone", 254712345678),
        ("phone", None),
        ("amount", 0),
        ("amount", -5),
        ("amount", 250_001),
        ("amount", 1.0),
        ("amount", "100"),
        ("amount", True),
        ("reference", ""),
        ("reference", None),
        ("reference", "OMA-7K2P9"),
        ("reference", "OMA7K2P9OMA7K"),
        ("reference", "ORDÉR1"),
        ("reference", "OMA7\n"),
        ("description", ""),
        ("description", None),
        ("description", " "),
        ("description", "O-Mache order!"),
        ("description", "two\nlines"),
    ],
)
def test_a_callers_mistake_is_a_value_error_and_sends_nothing(daraja, gateway, name, value):
    with pytest.raises(ValueError, match=name):
        daraja.stk_push(**A_PUSH | {name: value})
    assert gateway.heard == []


@pytest.mark.parametrize("amount", [1, 250_000])
def test_the_smallest_and_the_largest_amount_are_sent(daraja, gateway, amount):
    daraja.stk_push(**A_PUSH | {"amount": amount})

    assert gateway.heard_on(PUSH)[0].fields["Amount"] == amount


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "400.002.02", "Bad Request - Invalid PhoneNumber", DarajaRefusal.BAD_REQUEST),
        (400, "400.002.05", "Invalid Request Payload", DarajaRefusal.BAD_REQUEST),
        (404, "404.001.04", "Invalid Authentication Header", DarajaRefusal.BAD_REQUEST),
        (405, "405.001", "Method Not Allowed", DarajaRefusal.BAD_REQUEST),
        (400, "400.009.77", "Something new", DarajaRefusal.BAD_REQUEST),
        (404, "404.001.01", "Resource not found", DarajaRefusal.CONFIGURATION),
        (500, "500.001.1001", "Merchant does not exist", DarajaRefusal.CONFIGURATION),
        (500, "500.001.1001", "Wrong credentials", DarajaRefusal.CONFIGURATION),
        (
            500,
            "500.001.1001",
            "[MerchantValidate] - Wrong credentials",
            DarajaRefusal.CONFIGURATION,
        ),
        (
            500,
            "500.001.1001",
            "Unable to lock subscriber, a transaction is already in process for the current"
            " subscriber",
            DarajaRefusal.BUSY_PHONE,
        ),
        (500, "500.003.02", "Spike Arrest Violation", DarajaRefusal.BUSY_GATEWAY),
        (500, "500.003.02", "System is busy. Please try again in few minutes.", "busy_gateway"),
        (500, "500.003.03", "Quota Violation", DarajaRefusal.BUSY_GATEWAY),
        (200, "400.002.02", "Bad Request - Invalid CallBackURL", DarajaRefusal.BAD_REQUEST),
    ],
)
def test_an_error_code_that_means_not_processed_is_a_refusal(
    daraja, gateway, status, code, message, kind
):
    gateway.on(PUSH, error(status, code, message))

    with pytest.raises(DarajaRefused) as refused:
        daraja.stk_push(**A_PUSH)

    assert refused.value.kind == kind
    assert refused.value.code == code
    assert refused.value.message == message
    assert len(gateway.heard_on(PUSH)) == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (
            429,
            {
                "fault": {
                    "faultstring": "Spike arrest violation. Allowed rate : 5pm",
                    "detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"},
                }
            },
            "policies.ratelimit.SpikeArrestViolation",
        ),
        (
            500,
            {
                "fault": {
                    "faultstring": "Rate limit quota violation.",
                    "detail": {"errorcode": "policies.ratelimit.QuotaViolation"},
                }
            },
            "policies.ratelimit.QuotaViolation",
        ),
        (429, b"<html>Too many requests</html>", ""),
        (429, b"", ""),
    ],
)
def test_too_many_requests_is_a_refusal_and_is_not_resent(daraja, gateway, status, body, code):
    gateway.on(PUSH, replies(status, body))

    with pytest.raises(DarajaRefused) as refused:
        daraja.stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.BUSY_GATEWAY
    assert refused.value.code == code
    assert len(gateway.heard_on(PUSH)) == 1


@pytest.mark.parametrize("code", ["1", 1, "SFC_IC0003"])
def test_another_response_code_inside_a_200_is_a_refusal(daraja, gateway, code):
    gateway.on(PUSH, replies(200, {"ResponseCode": code, "ResponseDescription": "Rejected"}))

    with pytest.raises(DarajaRefused) as refused:
        daraja.stk_push(**A_PUSH)

    assert refused.value.kind == DarajaRefusal.OTHER
    assert refused.value.code == str(code)
    assert refused.value.message == "Rejected"


def test_a_refusal_without_words_says_so(daraja, gateway):
    gateway.on(PUSH, replies(200, {"ResponseCode": "1", "secret": "token-1"}))

    with pytest.raises(DarajaRefused) as refused:
        daraja.stk_push(**A_PUSH)

    assert str(refused.value) == "1: HTTP 200: without a reason"


def test_a_response_code_may_be_a_number(daraja, gateway):
    gateway.on(PUSH, replies(200, ACCEPTED | {"ResponseCode": 0}))

    assert daraja.stk_push(**A_PUSH).checkout_request_id == CHECKOUT_ID


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"errorCode": "500.001.1001", "errorMessage": ""}),
        (200, {"errorCode": "500.001.1001", "errorMessage": ""}),
        (500, {"errorCode": "500.001.1001", "errorMessage": "The transaction is being processed"}),
        (500, {"errorCode": "500.002.1001", "errorMessage": "System internal error."}),
        (500, {"errorCode": "500.003.1001", "errorMessage": "Internal Server Error"}),
        (500, {"errorCode": ["odd"], "errorMessage": "Merchant does not exist"}),
        (500, {"fault": {"faultstring": "Gateway Timeout", "detail": "none"}}),
        (500, {}),
        (503, b"<html>Service Unavailable</html>"),
        (504, b""),
        (408, b""),
        (200, b""),
        (200, b"<html>It works!</html>"),
        (200, b'{"ResponseCode": "0", "Checkout'),
        (200, b"[]"),
        (200, b"null"),
        (200, b'"0"'),
        (200, b"\xff\xfe"),
        (200, b"[" * 60_000),
        (200, {k: v for k, v in ACCEPTED.items() if k != "CheckoutRequestID"}),
        (200, {k: v for k, v in ACCEPTED.items() if k != "MerchantRequestID"}),
        (200, {k: v for k, v in ACCEPTED.items() if k != "ResponseCode"}),
        (200, ACCEPTED | {"CheckoutRequestID": ""}),
        (200, ACCEPTED | {"CheckoutRequestID": None}),
        (200, ACCEPTED | {"CheckoutRequestID": ["ws_CO_1"]}),
        (200, ACCEPTED | {"CheckoutRequestID": "w" * 65}),
        (200, ACCEPTED | {"ResponseCode": None}),
        (200, ACCEPTED | {"ResponseCode": False}),
        (200, ACCEPTED | {"errorCode": "500.001.1001"}),
        (200, ACCEPTED | {"errorCode": " "}),
        (201, ACCEPTED),
        (400, ACCEPTED | {"errorCode": "400.002.02"}),
        (401, ACCEPTED | {"errorCode": "404.001.03"}),
        (429, ACCEPTED),
    ],
)
def test_an_answer_that_is_not_clear_is_unknown_and_is_not_resent(daraja, gateway, status, body):
    gateway.on(PUSH, replies(status, body))

    with pytest.raises(DarajaUnknown):
        daraja.stk_push(**A_PUSH)

    assert len(gateway.heard_on(PUSH)) == 1


def test_an_unknown_keeps_the_beginning_of_the_answer_on_one_line(daraja, gateway):
    gateway.on(PUSH, replies(502, b"<html>\r\n\x00Bad\x1b[31m Gateway</html>" + b"x" * 500))

    with pytest.raises(DarajaUnknown) as unknown:
        daraja.stk_push(**A_PUSH)

    assert str(unknown.value) == "no clear answer to the push (HTTP 502)"
    assert unknown.value.answer.startswith("<html>   Bad [31m Gateway</html>xxx")
    assert len(unknown.value.answer) == 200


def test_secrets_are_in_no_repr_and_in_no_error(gateway, make_client):
    account = an_account("http://127.0.0.1:1")

    with pytest.raises(DarajaRefused) as refused:
        make_client("http://127.0.0.1:1").stk_push(**A_PUSH)

    for text in (repr(account), str(refused.value), repr(refused.value)):
        assert "the-key" not in text
        assert "the-secret" not in text
        assert "the-passkey" not in text


@responses.activate
def test_a_shop_may_test_with_responses_and_a_session_of_its_own():
    base = "https://api.safaricom.co.ke"
    responses.get(base + "/oauth/v1/generate", json={"access_token": "t", "expires_in": 3599})
    responses.post(base + PUSH, json=ACCEPTED)
    daraja = DarajaClient(an_account(base), tokens=MemoryTokenStore())

    assert daraja.stk_push(**A_PUSH).checkout_request_id == CHECKOUT_ID
