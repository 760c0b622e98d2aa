"""Registering C2B URLs, and reading C2B confirmations."""

import json
from datetime import datetime

import pytest

from omachemainproj.dates import NAIROBI
from payments.daraja.c2b import C2bPayment, read_c2b_payment
from payments.daraja.errors import DarajaRefusal, DarajaRefused, DarajaUnknown
from payments.daraja.values import UnreadableCallback

from .conftest import an_account, rehearse
from .gateway import REGISTER_URLS, REGISTERED, error, replies, stays_silent

ADDRESSES = {
    "confirmation_url": "https://shop.co.ke/hook/paid/",
    "validation_url": "https://shop.co.ke/hook/may/",
}
PHONE = "254712345678"


def test_a_registration_sends_exactly_what_the_portal_asks_for(daraja, gateway):
    daraja.register_c2b_urls(**ADDRESSES)

    (heard,) = gateway.heard_on(REGISTER_URLS)
    assert heard.fields == {
        "ShortCode": "174379",
        "ResponseType": "Completed",
        "ConfirmationURL": "https://shop.co.ke/hook/paid/",
        "ValidationURL": "https://shop.co.ke/hook/may/",
    }


def test_a_till_registers_its_own_number(gateway, make_client):
    account = an_account(gateway.url, party_b="5551234")

    make_client(gateway.url, account=account).register_c2b_urls(
        **ADDRESSES, response_type="Cancelled"
    )

    (heard,) = gateway.heard_on(REGISTER_URLS)
    assert (heard.fields["ShortCode"], heard.fields["ResponseType"]) == ("5551234", "Cancelled")


@pytest.mark.parametrize("response_type", ["completed", "", None])
def test_another_response_type_is_a_value_error(daraja, gateway, response_type):
    with pytest.raises(ValueError, match="response_type must be one of Completed, Cancelled"):
        daraja.register_c2b_urls(**ADDRESSES, response_type=response_type)
    assert gateway.heard == []


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("500.003.1001", "Urls are already registered.", DarajaRefusal.ALREADY_REGISTERED),
        ("500.003.1001", "URLS ARE ALREADY REGISTERED", DarajaRefusal.ALREADY_REGISTERED),
        ("500.003.1001", "Duplicate notification info", DarajaRefusal.ALREADY_REGISTERED),
        ("400.002.02", "Bad Request - Invalid ValidationURL", DarajaRefusal.BAD_REQUEST),
    ],
)
def test_a_registration_that_was_not_made_is_a_refusal(daraja, gateway, code, message, kind):
    gateway.on(REGISTER_URLS, error(500, code, message))

    with pytest.raises(DarajaRefused) as refused:
        daraja.register_c2b_urls(**ADDRESSES)

    assert (refused.value.kind, refused.value.code) == (kind, code)


@pytest.mark.parametrize(
    "answer",
    [
        error(500, "500.003.1001", "Internal Server Error"),
        replies(200, b"<html>"),
        replies(200, {}),
        replies(500, REGISTERED),
        stays_silent,
    ],
)
def test_an_answer_that_is_not_clear_is_unknown(client_for, gateway, answer):
    gateway.on(REGISTER_URLS, answer)

    with pytest.raises(DarajaUnknown):
        client_for(answer).register_c2b_urls(**ADDRESSES)


def test_a_second_registration_is_refused_in_production(make_simulator, shop):
    daraja = rehearse(make_simulator(production=True))
    addresses = {"confirmation_url": shop.at("paid"), "validation_url": shop.at("may")}
    daraja.register_c2b_urls(**addresses)

    with pytest.raises(DarajaRefused) as refused:
        daraja.register_c2b_urls(**addresses)

    assert refused.value.kind == DarajaRefusal.ALREADY_REGISTERED


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ({"refuse": "spike_arrest"}, DarajaRefused),
        ({"refuse": "internal_error"}, DarajaUnknown),
        ({"answer": "nothing"}, DarajaUnknown),
        ({"answer": "half"}, DarajaUnknown),
        ({"answer": "html"}, DarajaUnknown),
        ({"answer": "error"}, DarajaUnknown),
    ],
)
def test_a_registration_that_goes_wrong_says_how(simulator, rehearsing, shop, script, kind):
    simulator.script(operation="c2b_register", **script)

    with pytest.raises(kind):
        rehearsing.register_c2b_urls(confirmation_url=shop.url, validation_url=shop.url)


def test_a_token_that_became_worthless_is_replaced(simulator, rehearsing, shop):
    simulator.script(operation="c2b_register", invalidate_token=True)

    rehearsing.register_c2b_urls(confirmation_url=shop.url, validation_url=shop.url)

    assert simulator.events[-1]["kind"] == "urls_registered"


def test_a_c2b_payment_is_read_from_its_validation_and_its_confirmation(
    simulator, rehearsing, shop
):
    addresses = {"confirmation_url": shop.at("paid"), "validation_url": shop.at("may")}
    rehearsing.register_c2b_urls(**addresses)
    paid = simulator.pay_by_hand(PHONE, 1500, "sofa 22")
    assert simulator.wait_until_quiet(5)

    (validation,), (confirmation,) = shop.posted_to("may"), shop.posted_to("paid")
    payment = read_c2b_payment(json.dumps(confirmation).encode())
    assert read_c2b_payment(json.dumps(validation).encode()).receipt == paid["receipt"]
    assert (payment.receipt, payment.amount) == (paid["receipt"], 1500)
    assert (payment.shortcode, payment.reference) == ("174379", "sofa 22")
    assert payment.phone == "2547 ***** 678"
    assert payment.transaction_type == "Pay Bill"
    assert abs((payment.paid_at - datetime.now(NAIROBI)).total_seconds()) < 600


THE_PAYMENT = {
    "TransactionType": "Pay Bill",
    "TransID": "TAV1DE2FGH",
    "TransTime": "20250131121325",
    "TransAmount": "1500.00",
    "BusinessShortCode": "600966",
    "BillRefNumber": "ORD12345",
    "InvoiceNumber": "",
    "OrgAccountBalance": "25.00",
    "ThirdPartyTransID": "",
    "MSISDN": "2547 ***** 126",
    "FirstName": "WANJIKU",
    "MiddleName": "",
    "LastName": "",
}


def read(leave_out=(), **changes):
    fields = THE_PAYMENT | changes
    return read_c2b_payment(
        json.dumps({k: v for k, v in fields.items() if k not in leave_out}).encode()
    )


def test_the_portals_payment_is_read():
    assert read() == C2bPayment(
        receipt="TAV1DE2FGH",
        amount=1500,
        shortcode="600966",
        reference="ORD12345",
        paid_at=datetime(2025, 1, 31, 12, 13, 25, tzinfo=NAIROBI),
        phone="2547 ***** 126",
        first_name="WANJIKU",
        transaction_type="Pay Bill",
    )


def test_display_only_fields_may_be_missing():
    shown = ("TransactionType", "TransTime", "BillRefNumber", "MSISDN", "FirstName")

    assert read(leave_out=shown) == C2bPayment("TAV1DE2FGH", 1500, "600966")


@pytest.mark.parametrize("odd", [None, True, [], {}, 1.5])
def test_display_only_fields_may_be_odd(odd):
    shown = ("TransactionType", "TransTime", "BillRefNumber", "MSISDN", "FirstName")

    assert read(**dict.fromkeys(shown, odd)) == C2bPayment("TAV1DE2FGH", 1500, "600966")


def test_a_hashed_phone_is_read_in_full():
    assert read(MSISDN="a1" * 32).phone == "a1" * 32


def test_numbers_may_come_without_quotes():
    payment = read(TransAmount=1500, BusinessShortCode=600966, BillRefNumber=77, MSISDN=254712)

    assert (payment.amount, payment.shortcode) == (1500, "600966")
    assert (payment.reference, payment.phone) == ("77", "254712")


def test_a_reference_is_kept_as_it_was_typed_on_one_line():
    assert read(BillRefNumber="  ord\n123é").reference == "ord 123é"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TransID", None, "TransID is missing or is not a receipt number."),
        ("TransID", "", "TransID is missing or is not a receipt number."),
        ("TransID", "two words", "TransID is missing or is not a receipt number."),
        ("TransID", 1234567890, "TransID is missing or is not a receipt number."),
        ("TransAmount", None, "TransAmount is missing or is not a number."),
        ("TransAmount", "", "TransAmount is missing or is not a number."),
        ("TransAmount", "1,500", "TransAmount is missing or is not a number."),
        ("TransAmount", "-5", "TransAmount is missing or is not a number."),
        ("TransAmount", "0.00", "TransAmount is not a possible number of whole shillings."),
        ("TransAmount", "5.50", "TransAmount is not a possible number of whole shillings."),
        ("TransAmount", 5.5, "TransAmount is not a possible number of whole shillings."),
        ("TransAmount", True, "TransAmount is missing or is not a number."),
        ("BusinessShortCode", None, "BusinessShortCode is missing or is not 5 to 12 digits."),
        ("BusinessShortCode", "1234", "BusinessShortCode is missing or is not 5 to 12 digits."),
        ("BusinessShortCode", "60096x", "BusinessShortCode is missing or is not 5 to 12 digits."),
        ("BusinessShortCode", True, "BusinessShortCode is missing or is not 5 to 12 digits."),
    ],
)
def test_an_invalid_payment_field_is_refused(name, value, sentence):
    with pytest.raises(UnreadableCallback) as unreadable:
        read(**{name: value})

    assert str(unreadable.value) == sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is not JSON."),
        (b"null", "The body is not a JSON object."),
        (b"[]", "The body is not a JSON object."),
        (b'{"TransID": "A", "TransID": "B"}', "The same key is given twice."),
    ],
)
def test_a_body_that_is_no_payment_is_refused_in_a_sentence(body, sentence):
    with pytest.raises(UnreadableCallback) as unreadable:
        read_c2b_payment(body)

    assert str(unreadable.value) == sentence
