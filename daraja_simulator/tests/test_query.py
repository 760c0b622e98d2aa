"""The status query of STK pushes."""

import pytest

from .caller import error_of

BEING_PROCESSED = (500, "500.001.1001", "The transaction is being processed")
DOES_NOT_EXIST = (500, "500.001.1001", "The transaction does not Exist")


def test_a_paid_push_is_reported_without_receipt_amount_or_phone(daraja):
    accepted = daraja.push().json()
    daraja.simulator.wait_until_quiet()

    answer = daraja.query(accepted["CheckoutRequestID"])

    assert answer.status_code == 200
    assert answer.json() == {
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successsfully",
        "MerchantRequestID": accepted["MerchantRequestID"],
        "CheckoutRequestID": accepted["CheckoutRequestID"],
        "ResultCode": "0",
        "ResultDesc": "The service request is processed successfully.",
    }


def test_the_text_of_1037_differs_between_query_and_callback(daraja, shop):
    checkout_id = daraja.pay(phone="254710001037")

    said = daraja.query(checkout_id).json()
    assert (said["ResultCode"], said["ResultDesc"]) == (
        "1037",
        "DS timeout user cannot be reached.",
    )
    assert shop.results[0]["ResultDesc"] == "No response from user."


def test_an_open_prompt_is_still_under_processing(daraja_with):
    daraja = daraja_with(default="person")
    checkout_id = daraja.push().json()["CheckoutRequestID"]

    said = daraja.query(checkout_id).json()

    assert (said["ResultCode"], said["ResultDesc"]) == (
        "4999",
        "The transaction is still under processing",
    )


def test_an_open_prompt_can_be_reported_as_an_error(daraja_with):
    daraja = daraja_with(default="person", pending_query="processing")
    checkout_id = daraja.push().json()["CheckoutRequestID"]

    assert error_of(daraja.query(checkout_id)) == BEING_PROCESSED


def test_an_unknown_id_does_not_exist(daraja):
    assert error_of(daraja.query("ws_CO_1")) == DOES_NOT_EXIST


@pytest.mark.parametrize(
    "name", ["BusinessShortCode", "Password", "Timestamp", "CheckoutRequestID"]
)
def test_a_missing_field_is_named(daraja, name):
    answer = daraja.query("ws_CO_1", **{name: None})

    assert error_of(answer) == (400, "400.002.02", f"Bad Request - Invalid {name}")


def test_a_wrong_password_is_refused(daraja):
    assert error_of(daraja.query("ws_CO_1", Password="x"))[2] == "Wrong credentials"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("processing", BEING_PROCESSED),
        ("unknown", DOES_NOT_EXIST),
        ("invalid", (400, "400.002.02", "Bad Request - Invalid CheckoutRequestID")),
    ],
)
def test_a_script_can_hide_the_ending(daraja, mode, expected):
    daraja.simulator.script(query=mode)
    checkout_id = daraja.pay()

    assert error_of(daraja.query(checkout_id)) == expected
    assert daraja.simulator.books()["received"] == 1500


def test_a_script_can_keep_a_paid_push_under_processing(daraja):
    daraja.simulator.script(query="4999")
    checkout_id = daraja.pay()

    assert daraja.query(checkout_id).json()["ResultCode"] == "4999"


def test_a_script_can_contradict_a_payment(daraja):
    daraja.simulator.script(query="contradictory")
    checkout_id = daraja.pay()

    assert daraja.query(checkout_id).json()["ResultCode"] == "1037"


def test_a_script_can_contradict_a_failure(daraja):
    daraja.simulator.script(outcome="1032", query="contradictory")
    checkout_id = daraja.pay()

    assert daraja.query(checkout_id).json()["ResultCode"] == "0"


def test_a_flaky_query_fails_every_other_time_with_an_empty_message(daraja):
    daraja.simulator.script(query="flaky")
    checkout_id = daraja.pay()

    answers = [daraja.query(checkout_id) for _ in range(4)]

    assert error_of(answers[0]) == (200, "500.001.1001", "")
    assert answers[1].json()["ResultCode"] == "0"
    assert error_of(answers[2]) == (500, "500.001.1001", "")
    assert answers[3].json()["ResultCode"] == "0"


def test_the_next_query_alone_can_be_scripted(daraja):
    checkout_id = daraja.pay()
    daraja.simulator.script(operation="stk_query", query="4999")

    codes = [daraja.query(checkout_id).json()["ResultCode"] for _ in range(2)]

    assert codes == ["4999", "0"]


def test_queries_about_one_phone_can_be_refused(daraja):
    checkout_id = daraja.pay()
    other = daraja.pay(phone="254722000111")
    daraja.simulator.script(operation="stk_query", phone="0722000111", refuse="too_many_requests")

    assert daraja.query(checkout_id).status_code == 200
    refused = daraja.query(other)
    assert refused.status_code == 429
    assert refused.json()["fault"]["detail"] == {
        "errorcode": "policies.ratelimit.SpikeArrestViolation"
    }
