"""Accepted STK pushes, their outcomes and callbacks."""

import re
from datetime import datetime, timedelta, timezone

import pytest

from .caller import PHONE
from .waiting import PATIENCE

NAIROBI = timezone(timedelta(hours=3))


def test_an_accepted_push_is_answered_with_two_ids(daraja):
    answer = daraja.push()

    said = answer.json()
    assert answer.status_code == 200
    assert re.fullmatch(
        r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{16}", said.pop("MerchantRequestID")
    )
    assert re.fullmatch(r"ws_CO_[0-9]{14}[0-9]{3}712345678", said.pop("CheckoutRequestID"))
    assert said == {
        "ResponseCode": "0",
        "ResponseDescription": "Success. Request accepted for processing",
        "CustomerMessage": "Success. Request accepted for processing",
    }


def test_the_id_tells_the_time_in_nairobi(daraja):
    checkout_id = daraja.push().json()["CheckoutRequestID"]

    told = datetime.strptime(checkout_id[6:20] + "+0300", "%d%m%Y%H%M%S%z")
    assert abs(datetime.now(NAIROBI) - told) < timedelta(minutes=1)


def test_a_success_has_five_items_with_their_own_types(daraja, shop):
    accepted = daraja.push().json()
    daraja.simulator.wait_until_quiet()

    [result] = shop.results
    items = {item["Name"]: item for item in result["CallbackMetadata"]["Item"]}
    assert result["MerchantRequestID"] == accepted["MerchantRequestID"]
    assert result["CheckoutRequestID"] == accepted["CheckoutRequestID"]
    assert result["ResultCode"] == 0
    assert result["ResultDesc"] == "The service request is processed successfully."
    assert list(items) == [
        "Amount",
        "MpesaReceiptNumber",
        "Balance",
        "TransactionDate",
        "PhoneNumber",
    ]
    assert isinstance(items["Amount"]["Value"], float)
    assert items["Amount"]["Value"] == 1500.0
    assert re.fullmatch(r"[A-Z0-9]{10}", items["MpesaReceiptNumber"]["Value"])
    assert items["Balance"] == {"Name": "Balance"}
    assert re.fullmatch(r"20[0-9]{12}", str(int(items["TransactionDate"]["Value"])))
    assert items["PhoneNumber"]["Value"] == 254712345678


def test_a_failure_has_no_metadata(daraja, shop):
    daraja.simulator.script(outcome="1032")
    accepted = daraja.push().json()
    daraja.simulator.wait_until_quiet()

    assert shop.results == [
        {
            "MerchantRequestID": accepted["MerchantRequestID"],
            "CheckoutRequestID": accepted["CheckoutRequestID"],
            "ResultCode": 1032,
            "ResultDesc": "Request cancelled by user",
        }
    ]


def test_a_result_code_with_letters_stays_text(daraja, shop):
    daraja.simulator.script(outcome="SFC_IC0003")
    daraja.pay()

    assert shop.results[0]["ResultCode"] == "SFC_IC0003"


def test_a_callback_carries_daraja_s_headers_to_the_address_given(daraja, shop):
    daraja.pay()

    [(path, headers, _)] = shop.heard
    assert path == "/safwebhook/f00dfeed/"
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert headers["Businessshortcode"] == "174379"
    assert "Authorization" not in headers


def test_a_failed_callback_is_not_retried(daraja, shop):
    shop.status = 500
    daraja.pay()

    assert len(shop.heard) == 1
    assert [c["status"] for c in daraja.simulator.callbacks] == [500]


def test_a_callback_does_not_follow_a_redirect(daraja, shop):
    shop.status = 307
    shop.location = shop.url
    daraja.pay()

    assert len(shop.heard) == 1
    assert [c["status"] for c in daraja.simulator.callbacks] == [307]


def test_an_unreachable_client_loses_only_the_callback(daraja):
    daraja.pay(CallBackURL="http://127.0.0.1:9/cb/f00d/")

    [lost] = daraja.simulator.callbacks
    assert lost["status"] is None
    assert lost["error"].startswith("ConnectionError")
    assert daraja.simulator.books()["received"] == 1500


def test_a_callback_without_a_response_times_out(daraja_with, shop):
    daraja = daraja_with(callback_timeout=0.1)
    shop.seconds = PATIENCE
    daraja.pay()

    [lost] = daraja.simulator.callbacks
    assert lost["error"].startswith("ReadTimeout")
    assert lost["took"] < PATIENCE


@pytest.mark.parametrize(
    ("ending", "code"), [("0001", 1), ("1032", 1032), ("1037", 1037), ("2001", 2001)]
)
def test_the_last_digits_of_a_number_can_decide(daraja, shop, ending, code):
    daraja.pay(phone="25471000" + ending)

    assert [r["ResultCode"] for r in shop.results] == [code]


def test_a_number_ending_in_9000_pays_without_a_callback(daraja, shop):
    daraja.pay(phone="254710009000")

    assert shop.heard == []
    assert daraja.simulator.books()["received"] == 1500


def test_a_number_ending_in_9002_pays_once_with_two_callbacks(daraja, shop):
    daraja.pay(phone="254710009002")

    first, second = shop.results
    assert first == second
    assert daraja.simulator.books()["received"] == 1500


def test_magic_can_be_switched_off(daraja_with, shop):
    daraja_with(magic=False).pay(phone="254710001032")

    assert shop.results[0]["ResultCode"] == 0


@pytest.mark.parametrize("phone", ["254712345678", "254700000000", "254711111111", PHONE])
def test_an_ordinary_number_is_not_magic(daraja, phone):
    assert daraja.simulator.phone(phone)["magic"] is None


def test_the_same_amount_again_within_two_minutes_is_limited(daraja, shop):
    daraja.pay()
    daraja.pay()

    assert [r["ResultCode"] for r in shop.results] == [0, 17]
    assert daraja.simulator.books()["received"] == 1500


def test_the_same_amount_after_two_minutes_is_not_limited(daraja, shop):
    daraja.pay()
    daraja.simulator.advance(121)
    daraja.pay()

    assert [r["ResultCode"] for r in shop.results] == [0, 0]


def test_another_amount_or_another_phone_is_not_limited(daraja, shop):
    daraja.pay()
    daraja.pay(amount=1501)
    daraja.pay(phone="254722000111")

    assert [r["ResultCode"] for r in shop.results] == [0, 0, 0]


def test_a_cancelled_amount_may_be_asked_again_where_only_payments_count(daraja_with, shop):
    daraja = daraja_with(similar_counts="paid")
    daraja.simulator.script(outcome="1032")
    for _ in range(3):
        daraja.pay()

    assert [r["ResultCode"] for r in shop.results] == [1032, 0, 17]


def test_a_wallet_too_small_fails_with_1_and_keeps_its_money(daraja, shop):
    daraja.simulator.set_wallet(PHONE, 1499)
    daraja.pay()

    assert shop.results[0]["ResultCode"] == 1
    assert daraja.simulator.phone(PHONE)["balance"] == 1499
    assert daraja.simulator.books()["entries"] == []


def test_goods_are_bought_at_the_till(daraja, shop):
    daraja.pay(TransactionType="CustomerBuyGoodsOnline", PartyB="600111")

    assert shop.results[0]["ResultCode"] == 0
    assert daraja.simulator.books()["entries"][0]["party_b"] == "600111"


@pytest.mark.parametrize(
    ("transaction_type", "party_b"),
    [("CustomerBuyGoodsOnline", "174379"), ("CustomerPayBillOnline", "600111")],
)
def test_the_wrong_party_fails_with_2028(daraja, shop, transaction_type, party_b):
    daraja.pay(TransactionType=transaction_type, PartyB=party_b)

    assert shop.results[0]["ResultCode"] == 2028
    assert daraja.simulator.books()["received"] == 0
