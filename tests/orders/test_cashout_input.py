"""Whatever is posted to cash-out: a 400 that points at it, and nothing written."""

import pytest

from orders.models import Order
from tests.shopping import PHONE, stock_of

WHOLE = "A whole number is needed, like 1500."
AT_LEAST_ONE = "Ensure this value is greater than or equal to 1."
NOT_FOR_SALE = "This product is not for sale."
NUMBER = "Enter a Kenyan mobile number, like 0712345678."


def line(**changed):
    return {"order": [{"product": 1, "number": 1, **changed}], "mpesa_number": PHONE}


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ({}, {"order": ["This field is required."], "mpesa_number": ["This field is required."]}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        (
            {"order": {"product": 1}, "mpesa_number": PHONE},
            {
                "order": {
                    "non_field_errors": ['Expected a list of items but got type "dict".'],
                }
            },
        ),
        ({"order": None, "mpesa_number": PHONE}, {"order": ["This field may not be null."]}),
        (
            {"order": "1,2", "mpesa_number": PHONE},
            {"order": {"non_field_errors": ['Expected a list of items but got type "str".']}},
        ),
        (
            {"order": [], "mpesa_number": PHONE},
            {"order": {"non_field_errors": ["This list may not be empty."]}},
        ),
        (
            {"order": [[1, 2]], "mpesa_number": PHONE},
            {
                "order": [
                    {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}
                ]
            },
        ),
        (line(product=None), {"order": [{"product": ["This field may not be null."]}]}),
        (line(product=True), {"order": [{"product": [WHOLE]}]}),
        (line(product="one"), {"order": [{"product": [WHOLE]}]}),
        (line(product=1.0), {"order": [{"product": [WHOLE]}]}),
        (line(product=0), {"order": [{"product": [AT_LEAST_ONE]}]}),
        (line(product=-7), {"order": [{"product": [AT_LEAST_ONE]}]}),
        (line(product=2**63), {"order": [{"product": [NOT_FOR_SALE]}]}),
        (line(product=10**29), {"order": [{"product": [NOT_FOR_SALE]}]}),
        (line(product=2**63 - 1), {"order": [{"product": [NOT_FOR_SALE]}]}),
        (line(product=[1]), {"order": [{"product": [WHOLE]}]}),
        (line(number=0), {"order": [{"number": [AT_LEAST_ONE]}]}),
        (line(number=-1), {"order": [{"number": [AT_LEAST_ONE]}]}),
        (line(number=True), {"order": [{"number": [WHOLE]}]}),
        (line(number=2.5), {"order": [{"number": [WHOLE]}]}),
        (line(number="2.0"), {"order": [{"number": [WHOLE]}]}),
        (
            line(number=10**29),
            {"order": [{"number": ["Ensure this value is less than or equal to 100000."]}]},
        ),
        (line(price=0), {"order": [{"price": [AT_LEAST_ONE]}]}),
        (line(price=None), {"order": [{"price": ["This field may not be null."]}]}),
        (line(price="1,500"), {"order": [{"price": [WHOLE]}]}),
        (line(price=1500.0), {"order": [{"price": [WHOLE]}]}),
        (line(price=True), {"order": [{"price": [WHOLE]}]}),
        ({**line(), "amount": 0}, {"amount": [AT_LEAST_ONE]}),
        ({**line(), "amount": None}, {"amount": ["This field may not be null."]}),
        ({**line(), "amount": "KES 1500"}, {"amount": [WHOLE]}),
        ({**line(), "amount": 1500.0}, {"amount": [WHOLE]}),
        ({**line(), "amount": [1500]}, {"amount": [WHOLE]}),
        ({**line(), "mpesa_number": "0612345678"}, {"mpesa_number": [NUMBER]}),
        ({**line(), "mpesa_number": True}, {"mpesa_number": [NUMBER]}),
        ({**line(), "mpesa_number": 712345678.0}, {"mpesa_number": [NUMBER]}),
        ({**line(), "mpesa_number": ["0712345678"]}, {"mpesa_number": [NUMBER]}),
    ],
)
def test_unreadable_input_is_named(buyer_api, sent, answer):
    response = buyer_api.post("/cashout/", sent)

    assert (response.status_code, response.json()) == (400, answer)
    assert not Order.objects.exists()


@pytest.mark.parametrize("raw", [b"null", b"", b"7", b'"text"', b"true"])
def test_a_body_that_is_no_object_is_a_400(buyer_api, raw):
    response = buyer_api.generic("POST", "/cashout/", raw, content_type="application/json")

    assert response.status_code == 400


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"order": 1e400}', b"[" * 30_000, b'{"a":NaN}'])
def test_a_body_that_is_no_json_is_a_400_with_a_code(buyer_api, raw):
    response = buyer_api.generic("POST", "/cashout/", raw, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "parse_error")


def test_a_hundred_lines_are_taken_and_one_more_is_not(buyer_api, kettle):
    lines = [{"product": kettle.pk, "number": 1}] * 101

    too_many = buyer_api.post("/cashout/", {"order": lines, "mpesa_number": PHONE})
    a_hundred = buyer_api.post("/cashout/", {"order": lines[:100], "mpesa_number": PHONE})

    assert too_many.json() == {
        "order": {"non_field_errors": ["Ensure this field has no more than 100 elements."]}
    }
    # A hundred were read, and found to ask for more kettles than one person may hold.
    assert a_hundred.json()["order"][20] == {
        "number": ["You can reserve at most 20 of a product before paying."]
    }
    assert stock_of(kettle) == (5, 0)


def test_a_stranger_is_asked_to_sign_in(api, kettle):
    response = api.post("/cashout/", line(product=kettle.pk))

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_status_and_amounts_in_the_body_change_nothing(buyer_api, kettle):
    sent = line(product=kettle.pk, amount=1, commission=1, track_status="paid")

    order = buyer_api.post("/cashout/", {**sent, "payment_status": "paid", "total": 1}).json()

    assert (order["payment_status"], order["amount"]) == ("requested", 1500)
    assert (order["order"][0]["price"], order["order"][0]["track_status"]) == (1500, "created")
