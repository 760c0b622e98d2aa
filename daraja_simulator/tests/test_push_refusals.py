"""STK pushes that are refused, and the error messages."""

import pytest
import requests

from .caller import PHONE, error_of, password
from .waiting import PATIENCE

REQUIRED = [
    "BusinessShortCode",
    "Password",
    "Timestamp",
    "TransactionType",
    "Amount",
    "PartyA",
    "PartyB",
    "PhoneNumber",
    "CallBackURL",
    "AccountReference",
]


def invalid(name):
    return 400, "400.002.02", f"Bad Request - Invalid {name}"


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(daraja, name):
    assert error_of(daraja.push(leave_out=[name])) == invalid(name)


def test_a_missing_description_is_called_remarks(daraja):
    assert error_of(daraja.push(leave_out=["TransactionDesc"])) == invalid("Remarks")


@pytest.mark.parametrize("value", [None, "", "  ", [], {}, True, 1.5])
@pytest.mark.parametrize("name", ["BusinessShortCode", "PhoneNumber", "AccountReference"])
def test_a_field_of_the_wrong_type_is_named(daraja, name, value):
    assert error_of(daraja.push(**{name: value})) == invalid(name)


@pytest.mark.parametrize("amount", [0, -1, 250_001, 1.5, 10.0, "ten", "1.00", "١٢", "9" * 400])
def test_an_amount_that_is_not_whole_or_out_of_bounds_is_refused(daraja, amount):
    assert error_of(daraja.push(amount=amount)) == invalid("Amount")


@pytest.mark.parametrize("amount", [1, "1", 250_000])
def test_an_amount_may_be_a_number_or_text(daraja, amount):
    assert daraja.push(amount=amount).json()["ResponseCode"] == "0"


@pytest.mark.parametrize(
    "phone", ["0712345678", "+254712345678", "25471234567", "254212345678", "2547123456789"]
)
def test_a_phone_number_must_be_twelve_digits_of_kenya(daraja, phone):
    assert error_of(daraja.push(PhoneNumber=phone)) == invalid("PhoneNumber")


@pytest.mark.parametrize("phone", [254712345678, "254112345678"])
def test_a_phone_number_may_be_a_number_or_text(daraja, phone):
    assert daraja.push(phone=phone).status_code == 200


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"AccountReference": "A" * 13}, "AccountReference"),
        ({"TransactionDesc": "D" * 14}, "Remarks"),
        ({"TransactionType": "CustomerPayBill"}, "TransactionType"),
        ({"BusinessShortCode": "17"}, "BusinessShortCode"),
        ({"Timestamp": "20261399120000"}, "Timestamp"),
        ({"PartyA": "12"}, "PartyA"),
    ],
)
def test_a_field_against_its_rule_is_named(daraja, change, named):
    assert error_of(daraja.push(**change)) == invalid(named)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/mpesa/callback/",
        "https://shop.example/M-PESA/",
        "https://shop.example/cb/?query=1",
        "https://executive.example/cb/",
        "https://abc.ngrok.app/cb/",
        "ftp://shop.example/cb/",
        "https:///cb/",
        "https://[::1/cb/",
        "https://shop.example:99999/cb/",
        "https://shop.example/ä/",
        "https://shop.example/a b/",
        "callback",
    ],
)
def test_a_callback_address_against_the_rules_is_refused(daraja, url):
    assert error_of(daraja.push(CallBackURL=url)) == invalid("CallBackURL")


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/cb/",
        "https://localhost/cb/",
        "https://127.0.0.1/cb/",
        "https://192.168.0.7/cb/",
    ],
)
def test_an_address_of_this_machine_can_be_refused_as_in_production(daraja_with, url):
    daraja = daraja_with(local_callbacks=False)

    assert error_of(daraja.push(CallBackURL=url)) == invalid("CallBackURL")


def test_a_public_address_passes_as_in_production(daraja_with):
    daraja = daraja_with(local_callbacks=False, decide_after=60)

    assert daraja.push(CallBackURL="https://shop.example/cb/").status_code == 200


def test_another_shortcode_is_no_merchant(daraja):
    answer = daraja.push(BusinessShortCode="600000", Password=password(shortcode="600000"))

    assert error_of(answer) == (500, "500.001.1001", "Merchant does not exist")


@pytest.mark.parametrize(
    "given", [password(passkey="other"), password(timestamp="20261123120001"), "%%%", "aGVsbG8="]
)
def test_a_password_that_does_not_match_the_body_is_refused(daraja, given):
    assert error_of(daraja.push(Password=given)) == (500, "500.001.1001", "Wrong credentials")


def test_the_first_thing_wrong_is_the_one_named(daraja):
    everything_wrong = {"Password": "x", "Amount": 0, "PhoneNumber": "1", "CallBackURL": "y"}

    assert error_of(daraja.push(**everything_wrong))[2] == "Wrong credentials"


def test_a_phone_with_an_open_prompt_is_locked(daraja_with):
    daraja = daraja_with(default="person")
    daraja.push()

    assert error_of(daraja.push(amount=2)) == (
        500,
        "500.001.1001",
        "Unable to lock subscriber, a transaction is already in process for the current subscriber",
    )
    assert len(daraja.simulator.prompts()) == 1


def test_a_form_is_refused(daraja):
    answer = requests.post(
        daraja.simulator.url + "/mpesa/stkpush/v1/processrequest",
        data=daraja.push_body(),
        headers={"Authorization": f"Bearer {daraja.token}"},
        timeout=PATIENCE,
    )

    assert error_of(answer) == invalid("BusinessShortCode")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"Amount": NaN}',
        b"[" * 100_000,
        b'{"Amount": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_body_that_is_no_json_object_is_refused(daraja, body):
    answer = requests.post(
        daraja.simulator.url + "/mpesa/stkpush/v1/processrequest",
        data=body,
        headers={
            "Authorization": f"Bearer {daraja.token}",
            "Content-Type": "application/json",
        },
        timeout=PATIENCE,
    )

    assert error_of(answer) == (400, "400.002.05", "Invalid Request Payload")


def test_a_refused_push_opens_no_prompt(daraja):
    daraja.push(amount=0)

    assert daraja.simulator.prompts() == []
    assert daraja.simulator.control.phones() == []
    assert daraja.simulator.phone(PHONE)["inbox"] == []
