"""The results of the status query, and its inconclusive responses."""

import base64
from datetime import datetime

import pytest

from payments.daraja.client import MemoryTokenStore, StkOutcome, StkStatus

from .gateway import (
    CHECKOUT_ID,
    OAUTH,
    PAID,
    QUERY,
    error,
    replies,
    resets,
    stays_silent,
    stops_half_way,
)


def test_a_query_sends_exactly_what_the_portal_asks_for(daraja, gateway):
    daraja.stk_query(checkout_request_id=CHECKOUT_ID)

    (heard,) = gateway.heard_on(QUERY)
    assert heard.headers["Authorization"] == "Bearer token-1"
    assert heard.fields == {
        "BusinessShortCode": "174379",
        "Password": base64.b64encode(b"174379the-passkey20250201003015").decode(),
        "Timestamp": "20250201003015",
        "CheckoutRequestID": CHECKOUT_ID,
    }


@pytest.mark.parametrize(
    ("code", "outcome", "text"),
    [
        ("0", StkOutcome.PAID, "0"),
        (0, StkOutcome.PAID, "0"),
        ("1032", StkOutcome.FAILED, "1032"),
        (1037, StkOutcome.FAILED, "1037"),
        ("SFC_IC0003", StkOutcome.FAILED, "SFC_IC0003"),
        ("4999", StkOutcome.UNKNOWN, "4999"),
        ("E3008", StkOutcome.UNKNOWN, "E3008"),
        ("", StkOutcome.UNKNOWN, ""),
        (None, StkOutcome.UNKNOWN, ""),
        (False, StkOutcome.UNKNOWN, ""),
        (0.0, StkOutcome.UNKNOWN, ""),
        ([0], StkOutcome.UNKNOWN, ""),
    ],
)
def test_only_a_known_end_settles_a_prompt(daraja, gateway, code, outcome, text):
    gateway.on(QUERY, replies(200, PAID | {"ResultCode": code, "ResultDesc": "As it is."}))

    status = daraja.stk_query(checkout_request_id=CHECKOUT_ID)

    assert status == StkStatus(outcome=outcome, result_code=text, description="As it is.")


@pytest.mark.parametrize(
    ("answer", "description"),
    [
        (
            error(500, "500.001.1001", "The transaction is being processed"),
            "500.001.1001: The transaction is being processed",
        ),
        (
            error(500, "500.001.1001", "The transaction does not Exist"),
            "500.001.1001: The transaction does not Exist",
        ),
        (
            error(400, "400.002.02", "Bad Request - Invalid CheckoutRequestID"),
            "400.002.02: Bad Request - Invalid CheckoutRequestID",
        ),
        (
            replies(429, {"fault": {"faultstring": "Spike arrest violation", "detail": {}}}),
            "Spike arrest violation",
        ),
        (replies(500, PAID), PAID["ResponseDescription"]),
        (
            replies(200, PAID | {"errorCode": "500.001.1001"}),
            "500.001.1001: HTTP 200: without a reason",
        ),
        (replies(200, PAID | {"ResponseCode": "1"}), PAID["ResponseDescription"]),
        (
            replies(200, PAID | {"CheckoutRequestID": "ws_CO_2"}),
            "the answer is about another request",
        ),
        (replies(200, PAID | {"CheckoutRequestID": None}), "the answer is about another request"),
        (replies(200, b"<html>Hello</html>"), "HTTP 200: <html>Hello</html>"),
        (replies(503, b""), "HTTP 503: without a reason"),
        (stays_silent, f"no answer from {QUERY} ("),
        (resets, f"no answer from {QUERY} ("),
        (stops_half_way, f"no answer from {QUERY} ("),
    ],
)
def test_anything_else_says_nothing(client_for, gateway, answer, description):
    gateway.on(QUERY, answer)

    status = client_for(answer).stk_query(checkout_request_id=CHECKOUT_ID)

    assert (status.outcome, status.result_code) == (StkOutcome.UNKNOWN, "")
    assert status.description.startswith(description)


def test_a_query_with_an_old_token_is_sent_again_with_a_new_one(client_for, gateway):
    paid = replies(200, PAID)
    gateway.on(QUERY, error(404, "404.001.03", "Invalid Access Token"), paid)

    status = client_for(paid).stk_query(checkout_request_id=CHECKOUT_ID)

    assert status.outcome == StkOutcome.PAID


@pytest.mark.parametrize("nothing", ["", None, 7, "w" * 65, "ws CO"])
def test_a_query_without_a_request_id_asks_nobody(daraja, gateway, nothing):
    status = daraja.stk_query(checkout_request_id=nothing)

    assert status.outcome == StkOutcome.UNKNOWN
    assert status.description == "there is no request id to query"
    assert gateway.heard == []


def test_a_query_never_raises_without_a_token(daraja, gateway):
    gateway.on(OAUTH, error(400, "400.008.01", "Invalid Authentication passed"))

    status = daraja.stk_query(checkout_request_id=CHECKOUT_ID)

    assert status == StkStatus(
        StkOutcome.UNKNOWN, "", "400.008.01: Invalid Authentication passed", answered=False
    )


def test_a_query_never_raises_with_a_broken_clock(gateway, make_client):
    daraja = make_client(gateway.url, now=lambda: datetime(2025, 1, 31))  # noqa: DTZ001

    assert daraja.stk_query(checkout_request_id=CHECKOUT_ID).outcome == StkOutcome.UNKNOWN


def test_a_query_never_raises_with_a_broken_store(gateway, make_client):
    class GoneStore(MemoryTokenStore):
        def get(self):
            raise RuntimeError("gone")

    daraja = make_client(gateway.url, tokens=GoneStore())

    assert daraja.stk_query(checkout_request_id=CHECKOUT_ID) == StkStatus(
        StkOutcome.UNKNOWN, "", "no token could be fetched (RuntimeError)", answered=False
    )


def test_a_query_never_raises_when_nobody_is_there(make_client):
    status = make_client("http://127.0.0.1:1").stk_query(checkout_request_id=CHECKOUT_ID)

    assert status.outcome == StkOutcome.UNKNOWN
    assert status.description == f"{OAUTH} could not be reached"
