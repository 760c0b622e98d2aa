"""A field that is only displayed never stops a payment, whatever it contains."""

import json
from datetime import datetime

import pytest

from omachemainproj.dates import NAIROBI
from payments.banks import equity
from payments.daraja.results import Result, read_transfer_callback
from payments.models import GatewayEvent, Receipt, Refund

from .bodies import by_hand, new_receipt, post, post_c2b, success

pytestmark = pytest.mark.any_database

#: What stands in place of a name, a text, a date or a balance, as JSON writes it.
ODD = [
    rb'"WANJI\u0000KU"',
    rb'"\ud800"',
    rb'"\ude42\ud83d"',
    b'"JOS\xe9"',
    b'"\xed\xa0\x80"',
    b'"WAN\x00JIKU"',
    b'"WAN\nJI\tKU\x1b[31m"',
    b'"' + b"W" * 10_000 + b'"',
    '"\U0001f600 فاطمة Wanjikũ"'.encode(),
    b"null",
    b"true",
    b"7",
    b"-1",
    b"NaN",
    b"-Infinity",
    b"1e400",
    b"1" * 5000,
    b"0." + b"1" * 500,
    b"[]",
    b'{"a": {"a": 1, "a": 2}}',
    b"[" * 200 + b"]" * 200,
    b'"20261399999999"',
    b'"00010101000000"',
    b'"99991231235959"',
    b'"31.02.2026 22:48:52"',
    b'"0001-01-01T00:00:00"',
    b'"9999-12-31T23:59:59-03:00"',
]
HERE = b'"put it here"'


def with_odd(told, odd):
    body = json.dumps(told).encode()
    assert body.count(HERE) >= 1
    return body.replace(HERE, odd)


@pytest.mark.sampled
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "field",
    ["FirstName", "LastName", "TransTime", "OrgAccountBalance", "MSISDN"],
)
def test_a_confirmation_counts_whatever_fields_for_display_hold(client, payment, order, field, odd):
    told = by_hand(order.reference, 3000, receipt="SGL7654321", **{field: "put it here"})

    post_c2b(client, with_odd(told, odd))

    receipt, event = Receipt.objects.get(), GatewayEvent.objects.get()
    assert (event.state, receipt.number, receipt.amount) == ("applied", "SGL7654321", 3000)
    assert (receipt.order_id, order.reference) == (order.pk, receipt.reference)
    assert "\0" not in receipt.payer + receipt.phone


def test_a_name_is_kept_without_what_no_database_takes(client, payment, order):
    told = by_hand(order.reference, 3000, FirstName="put it here")

    post_c2b(client, with_odd(told, rb'"WANJIKU\u0000\ud800 W."'))

    assert Receipt.objects.get().payer == "WANJIKU   W."


@pytest.mark.sampled
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("field", ["ResultDesc", "Balance", "TransactionDate", "PhoneNumber"])
def test_a_callback_counts_whatever_fields_for_display_hold(client, payment, order, field, odd):
    told = success(payment, receipt="SGL7654321")
    callback = told["Body"]["stkCallback"]
    if field == "ResultDesc":
        callback[field] = "put it here"
    for item in callback["CallbackMetadata"]["Item"]:
        if item["Name"] == field:
            item["Value"] = "put it here"

    post(client, payment, with_odd(told, odd))

    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.amount, receipt.order_id) == ("SGL7654321", 3000, order.pk)
    assert GatewayEvent.objects.get().state == "applied"


@pytest.mark.parametrize("twice", ["Balance", "TransactionDate", "PhoneNumber"])
def test_an_item_that_is_only_shown_may_come_twice(client, payment, twice):
    told = success(payment, receipt="SGL7654321")
    told["Body"]["stkCallback"]["CallbackMetadata"]["Item"] += [{"Name": twice, "Value": "x"}]

    post(client, payment, told)

    assert Receipt.objects.get().number == "SGL7654321"


def test_a_name_that_is_given_twice_costs_no_payment(client, payment, order):
    body = json.dumps(by_hand(order.reference, 3000)).encode()

    post_c2b(client, body.replace(b'"FirstName"', b'"FirstName": "A", "FirstName"'))

    assert (Receipt.objects.get().amount, Receipt.objects.get().payer) == (3000, "")


@pytest.mark.parametrize("twice", ["TransAmount", "TransID", "BusinessShortCode"])
def test_a_field_that_decides_about_money_must_not_occur_twice(client, payment, order, twice):
    body = json.dumps(by_hand(order.reference, 3000)).encode()

    post_c2b(client, body.replace(f'"{twice}"'.encode(), f'"{twice}": "999", "{twice}"'.encode()))

    event = GatewayEvent.objects.get()
    assert (event.state, event.note) == ("unreadable", "The same key is given twice.")
    assert not Receipt.objects.exists()


@pytest.mark.sampled
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("field", ["name", "remarks", "date"])
def test_a_bank_s_notification_counts(db, order, field, odd):
    told = {
        "callbackType": "IPN",
        "customer": {"name": "WANJIKU", "mobileNumber": "0712345678"},
        "transaction": {
            "status": "SUCCESS",
            "amount": "3000.00",
            "currency": "KES",
            "billNumber": order.reference,
            "date": "2026-11-23T10:21:15",
            "remarks": "",
            "transactionType": "C2B",
        },
        "bank": {"reference": "EQ7654321", "transactionType": "C"},
    }
    told["customer" if field == "name" else "transaction"][field] = "put it here"

    read = equity.read_notification(with_odd(told, odd))

    assert (read.number, read.amount, read.reference) == ("EQ7654321", 3000, order.reference)
    given = datetime(2026, 11, 23, 10, 21, 15, tzinfo=NAIROBI)
    assert read.paid_at == (None if field == "date" else given)


@pytest.mark.sampled
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("field", ["ResultDesc", "ReceiverPartyPublicName", "Charge"])
def test_a_result_counts_whatever_fields_for_display_hold(client, payment, order, field, odd):
    post(client, payment, success(payment, amount=3100))
    refund = Refund.objects.get()
    shown = {"ReceiverPartyPublicName": "254712345678 - W", "Charge": 0, field: "put it here"}
    told = {
        "ResultType": 0,
        "ResultCode": 0,
        "ResultDesc": shown.pop("ResultDesc", "Done."),
        "OriginatorConversationID": refund.originator_conversation_id,
        "ConversationID": "AG_1",
        "TransactionID": new_receipt(),
        "ResultParameters": {
            "ResultParameter": [
                {"Key": "TransactionAmount", "Value": 100},
                *({"Key": key, "Value": value} for key, value in shown.items()),
            ]
        },
    }

    post(client, None, with_odd({"Result": told}, odd), token=refund.callback_token)

    refund.refresh_from_db()
    assert (refund.status, refund.number) == ("done", told["TransactionID"])
    read = read_transfer_callback(with_odd({"Result": told}, odd))
    assert isinstance(read, Result)
    assert read.amount == 100
