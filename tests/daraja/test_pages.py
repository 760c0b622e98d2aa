"""What stands before M-Pesa answers in its place: on any call, a page, a redirect, half an answer.

Three things may be known of the request then: that nobody behind it was reached (it may be sent
again later), that it was only too early (the same), or nothing (it is asked about).
"""

import gzip
from datetime import UTC, datetime

import pytest

from payments.daraja.client import StkOutcome
from payments.daraja.errors import DarajaRefusal, DarajaRefused, DarajaUnknown

from .conftest import A_PAYOUT, A_PUSH, A_REVERSAL, SAID_LATER
from .gateway import (
    BALANCE,
    CHECKOUT_ID,
    OAUTH,
    PAY,
    PULL,
    PUSH,
    QUERY,
    REGISTER_PULL,
    REGISTER_URLS,
    REVERSE,
    STATUS,
    error,
    replies,
)

PAGE = b"<html><head><title>Request unsuccessful</title></head><body>Incident 1-2</body></html>"
HTML = {"Content_Type": "text/html"}
ZIPPED = {"Content_Type": "text/html", "Content_Encoding": "gzip"}
FORBIDDEN = {"fault": {"faultstring": "Access denied", "detail": {"errorcode": "steps.deny"}}}

TURNED_AWAY = {
    "403 page": replies(403, PAGE, **HTML),
    "403 page, zipped": replies(403, gzip.compress(PAGE), **ZIPPED),
    "403 page, zipped and broken": replies(403, gzip.compress(PAGE)[:-9], **ZIPPED),
    "403 page, called zipped": replies(403, PAGE, **ZIPPED),
    "403 page of two megabytes": replies(403, b"<p>no</p>" * 250_000, **HTML),
    "403 without a word": replies(403, b""),
    "403 of a firewall that speaks JSON": replies(403, {"message": "Forbidden"}),
    "403 of the gateway's own policy": replies(403, FORBIDDEN),
    "403 with half a JSON": replies(403, b'{"message": "Forb'),
    "401 page": replies(401, PAGE, **HTML),
    "400 page": replies(400, PAGE, **HTML),
    "404 page": replies(404, PAGE, **HTML),
    "405 page": replies(405, PAGE, **HTML),
    "302 to a page to log in": replies(302, PAGE, Location="https://wifi.example/login"),
    "302 without a word": replies(302, b"", Location="/login"),
    "307 elsewhere": replies(307, b"", Location="https://elsewhere.example/"),
    "407 of a proxy": replies(407, PAGE, **HTML),
    "451 page": replies(451, PAGE, **HTML),
}
TOO_EARLY = {
    "429 page": replies(429, PAGE, **HTML),
    "429 without a word": replies(429, b""),
    "429 page, zipped and broken": replies(429, gzip.compress(PAGE)[:-9], **ZIPPED),
    "429 spike arrest": replies(
        429,
        {
            "fault": {
                "faultstring": "Spike arrest violation. Allowed rate : 5pm",
                "detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"},
            }
        },
    ),
}
NOTHING_KNOWN = {
    "503 page": replies(503, PAGE, **HTML),
    "502 page": replies(502, PAGE, **HTML),
    "500 page, zipped": replies(500, gzip.compress(PAGE), **ZIPPED),
    "504 without a word": replies(504, b""),
    "408 page": replies(408, PAGE, **HTML),
    "200 page": replies(200, PAGE, **HTML),
    "200 page, zipped": replies(200, gzip.compress(PAGE), **ZIPPED),
    "200 page, zipped and broken": replies(200, gzip.compress(PAGE)[:-9], **ZIPPED),
    "200 without a word": replies(200, b""),
    "200 with half a JSON": replies(200, b'{"ResponseCode": "0", "Respo'),
    "204": replies(204, b""),
}
ANY = TURNED_AWAY | TOO_EARLY | NOTHING_KNOWN

MONEY_OUT = {
    "b2c": (PAY, lambda daraja: daraja.b2c_payment(**A_PAYOUT)),
    "reversal": (REVERSE, lambda daraja: daraja.reversal(**A_REVERSAL)),
}
RECEIPT = "TAV1DE2FGH"
SAFE_TO_REPEAT = {
    "status": (
        STATUS,
        lambda daraja: daraja.transaction_status(receipt="TAV1DE2FGH", **SAID_LATER),
    ),
    "balance": (BALANCE, lambda daraja: daraja.account_balance(**SAID_LATER)),
    "pull": (
        PULL,
        lambda daraja: daraja.pull_transactions(
            start=datetime(2025, 1, 30, tzinfo=UTC), end=datetime(2025, 1, 31, tzinfo=UTC)
        ),
    ),
    "addresses": (
        REGISTER_URLS,
        lambda daraja: daraja.register_c2b_urls(
            confirmation_url="https://shop.co.ke/c/", validation_url="https://shop.co.ke/v/"
        ),
    ),
    "statement": (
        REGISTER_PULL,
        lambda daraja: daraja.register_pull(
            nominated_number="254712345678", callback_url="https://shop.co.ke/c/"
        ),
    ),
}


def raised_by(call):
    with pytest.raises((DarajaRefused, DarajaUnknown)) as raised:
        call()
    return raised.value


@pytest.mark.parametrize("answer", TURNED_AWAY)
def test_a_push_that_was_turned_away_on_the_way_may_be_sent_again(daraja, gateway, answer):
    gateway.on(PUSH, TURNED_AWAY[answer])

    refused = raised_by(lambda: daraja.stk_push(**A_PUSH))

    assert (type(refused), refused.kind) == (DarajaRefused, DarajaRefusal.GATEWAY)
    assert refused.is_over_later
    assert len(gateway.heard_on(PUSH)) == 1


@pytest.mark.parametrize("answer", TOO_EARLY)
def test_a_push_that_came_too_early_may_be_sent_again(daraja, gateway, answer):
    gateway.on(PUSH, TOO_EARLY[answer])

    refused = raised_by(lambda: daraja.stk_push(**A_PUSH))

    assert (type(refused), refused.kind) == (DarajaRefused, DarajaRefusal.BUSY_GATEWAY)
    assert refused.is_over_later
    assert len(gateway.heard_on(PUSH)) == 1


@pytest.mark.parametrize("answer", NOTHING_KNOWN)
def test_a_push_of_which_nothing_is_known_is_never_sent_again(daraja, gateway, answer):
    gateway.on(PUSH, NOTHING_KNOWN[answer])

    assert type(raised_by(lambda: daraja.stk_push(**A_PUSH))) is DarajaUnknown
    assert len(gateway.heard_on(PUSH)) == 1


@pytest.mark.parametrize("answer", TURNED_AWAY | NOTHING_KNOWN)
@pytest.mark.parametrize("call", MONEY_OUT)
def test_money_out_is_asked_about_whatever_answered_in_m_pesas_place(daraja, gateway, call, answer):
    path, send = MONEY_OUT[call]
    gateway.on(path, ANY[answer])

    assert type(raised_by(lambda: send(daraja))) is DarajaUnknown
    assert len(gateway.heard_on(path)) == 1


@pytest.mark.parametrize("answer", TOO_EARLY)
@pytest.mark.parametrize("call", MONEY_OUT)
def test_money_out_that_came_too_early_may_be_sent_again(daraja, gateway, call, answer):
    path, send = MONEY_OUT[call]
    gateway.on(path, TOO_EARLY[answer])

    refused = raised_by(lambda: send(daraja))

    assert refused.kind == DarajaRefusal.BUSY_GATEWAY
    assert refused.is_over_later


@pytest.mark.parametrize("answer", ANY)
@pytest.mark.parametrize("call", SAFE_TO_REPEAT)
def test_a_question_that_was_not_answered_is_nobodys_fault(daraja, gateway, call, answer):
    path, send = SAFE_TO_REPEAT[call]
    gateway.on(path, ANY[answer])

    raised = raised_by(lambda: send(daraja))

    assert isinstance(raised, DarajaUnknown) or raised.is_over_later


@pytest.mark.parametrize("answer", ANY)
def test_a_status_query_that_was_not_answered_says_so(daraja, gateway, answer):
    gateway.on(QUERY, ANY[answer])

    status = daraja.stk_query(checkout_request_id=CHECKOUT_ID)

    assert (status.outcome, status.result_code) == (StkOutcome.UNKNOWN, "")
    assert not status.answered


def test_a_status_query_to_which_m_pesa_has_no_answer_was_answered(daraja, gateway):
    gateway.on(QUERY, error(500, "500.001.1001", "The transaction does not Exist"))

    assert daraja.stk_query(checkout_request_id=CHECKOUT_ID).answered


@pytest.mark.parametrize("answer", ANY)
def test_a_page_in_place_of_a_token_is_never_a_fault_in_the_settings(daraja, gateway, answer):
    gateway.on(OAUTH, ANY[answer])

    refused = raised_by(lambda: daraja.stk_push(**A_PUSH))

    assert type(refused) is DarajaRefused
    assert refused.is_over_later
    assert gateway.heard_on(PUSH) == []


def test_a_gateway_too_busy_for_a_token_was_asked_for_no_money(daraja, gateway):
    """The refusal is certain here, other than for a push: nothing was sent."""
    busy = "System is busy. Please try again in few minutes."
    gateway.on(OAUTH, error(500, "500.003.02", busy))

    refused = raised_by(lambda: daraja.stk_push(**A_PUSH))

    assert (refused.kind, refused.is_over_later) == (DarajaRefusal.BUSY_GATEWAY, True)


def test_an_app_without_this_api_is_a_fault_in_the_settings_and_fetches_no_tokens(daraja, gateway):
    fault = "Invalid API call as no apiproduct match found"
    gateway.on(
        PUSH, replies(401, {"fault": {"faultstring": fault, "detail": {"errorcode": "x.y"}}})
    )

    refused = raised_by(lambda: daraja.stk_push(**A_PUSH))

    assert refused.kind == DarajaRefusal.CONFIGURATION
    assert gateway.tokens_given == 1
