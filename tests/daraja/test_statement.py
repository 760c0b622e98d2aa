"""Pull Transactions: the request, and that no row is silently lost."""

from datetime import UTC, datetime, timedelta

import pytest

from omachemainproj.dates import NAIROBI
from payments.daraja.client import StatementPage, StatementRow
from payments.daraja.errors import DarajaRefusal, DarajaRefused, DarajaUnknown
from tests.payments.test_shown_fields import ODD, with_odd

from .conftest import an_account, rehearse
from .gateway import PULL, REGISTER_PULL, error, replies, resets, stays_silent, stops_half_way

PHONE = "254712345678"
REGISTRATION = {
    "nominated_number": "0722000111",
    "callback_url": "https://shop.co.ke/hook/pulled/",
}
FROM, TO = datetime(2025, 1, 31, 21, 0, tzinfo=UTC), datetime(2025, 2, 1, 9, 30, tzinfo=UTC)

A_ROW = {
    "transactionId": "TAV1DE2FGH",
    "trxDate": "2025-02-01T06:13:00Z",
    "msisdn": 712345678,
    "sender": "MPESA",
    "transactiontype": "c2b-pay-bill-debit",
    "billreference": "SOFA22",
    "amount": "1500.00",
    "organizationname": "O-MACHE",
}
THE_ROW = StatementRow(
    receipt="TAV1DE2FGH",
    amount=1500,
    paid_at=datetime(2025, 2, 1, 9, 13, tzinfo=NAIROBI),
    phone="712345678",
    reference="SOFA22",
    transaction_type="c2b-pay-bill-debit",
)


def a_page(*rows, code="1000"):
    return {"ResponseRefID": "1-2", "ResponseCode": code, "Response": [list(rows)]}


def pull(client, gateway, body, status=200):
    gateway.on(PULL, replies(status, body))
    return client.pull_transactions(start=FROM, end=TO)


def test_a_registration_sends_exactly_what_the_portal_asks_for(daraja, gateway):
    gateway.on(REGISTER_PULL, replies(200, {"ResponseStatus": "1000"}))

    daraja.register_pull(**REGISTRATION)

    (heard,) = gateway.heard_on(REGISTER_PULL)
    assert heard.fields == {
        "ShortCode": "174379",
        "RequestType": "Pull",
        "NominatedNumber": "0722000111",
        "CallBackURL": "https://shop.co.ke/hook/pulled/",
    }


@pytest.mark.parametrize("number", ["", None, "722000111", "+254722000111", "0722000111\n"])
def test_a_nominated_number_that_is_none_is_a_value_error(daraja, gateway, number):
    with pytest.raises(ValueError, match="nominated_number"):
        daraja.register_pull(**REGISTRATION | {"nominated_number": number})
    assert gateway.heard == []


@pytest.mark.parametrize("status", ["1000", 1000, "1001"])
def test_a_registration_may_stand_already(daraja, gateway, status):
    gateway.on(REGISTER_PULL, replies(200, {"ResponseStatus": status}))

    daraja.register_pull(**REGISTRATION)

    assert len(gateway.heard_on(REGISTER_PULL)) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "400.002.02", "Bad Request - Invalid ShortCode"), DarajaRefused),
        (error(500, "500.003.02", "Spike Arrest Violation"), DarajaRefused),
        (error(500, "500.003.1001", "Internal Server Error"), DarajaUnknown),
        (replies(200, {"ResponseStatus": "1002"}), DarajaUnknown),
        (replies(200, {"ResponseStatus": "1000", "errorCode": "500.003.1001"}), DarajaUnknown),
        (replies(500, {"ResponseStatus": "1000"}), DarajaUnknown),
        (replies(200, {}), DarajaUnknown),
        (stays_silent, DarajaUnknown),
    ],
)
def test_a_registration_that_goes_wrong_says_how(client_for, gateway, answer, kind):
    gateway.on(REGISTER_PULL, answer)

    with pytest.raises(kind):
        client_for(answer).register_pull(**REGISTRATION)


def test_a_question_sends_nairobis_time_and_the_offset_as_text(daraja, gateway):
    gateway.on(PULL, replies(200, a_page()))

    daraja.pull_transactions(start=FROM, end=TO, offset=100)

    (heard,) = gateway.heard_on(PULL)
    assert heard.method == "POST"
    assert heard.fields == {
        "ShortCode": "174379",
        "StartDate": "2025-02-01 00:00:00",
        "EndDate": "2025-02-01 12:30:00",
        "OffSetValue": "100",
    }


def test_a_part_of_a_second_at_the_end_is_asked_about_too(daraja, gateway):
    gateway.on(PULL, replies(200, a_page()))
    part = timedelta(microseconds=1)

    daraja.pull_transactions(start=FROM + part, end=TO + part)

    (heard,) = gateway.heard_on(PULL)
    assert heard.fields["StartDate"] == "2025-02-01 00:00:00"
    assert heard.fields["EndDate"] == "2025-02-01 12:30:01"


def test_a_till_pulls_its_own_number(gateway, make_client):
    gateway.on(PULL, replies(200, a_page()))
    account = an_account(gateway.url, party_b="5551234")

    make_client(gateway.url, account=account).pull_transactions(start=FROM, end=TO)

    assert gateway.heard_on(PULL)[0].fields["ShortCode"] == "5551234"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": FROM.replace(tzinfo=None)}, "with their zone"),
        ({"end": TO.replace(tzinfo=None)}, "with their zone"),
        ({"start": TO, "end": FROM}, "start must not be after end"),
        ({"offset": -1}, "offset"),
        ({"offset": "0"}, "offset"),
        ({"offset": True}, "offset"),
    ],
)
def test_a_callers_mistake_is_a_value_error_and_sends_nothing(daraja, gateway, changes, words):
    with pytest.raises(ValueError, match=words):
        daraja.pull_transactions(**{"start": FROM, "end": TO} | changes)
    assert gateway.heard == []


def test_a_row_is_read(daraja, gateway):
    page = pull(daraja, gateway, a_page(A_ROW))

    assert page == StatementPage(rows=(THE_ROW,), unreadable=())
    assert (page.size, page.is_last) == (1, False)


@pytest.mark.parametrize("found", [[A_ROW], [[A_ROW]], [[], [A_ROW]]])
def test_the_rows_may_come_in_one_list_or_in_a_list_of_lists(daraja, gateway, found):
    body = {"ResponseCode": "1000", "Response": found}

    assert pull(daraja, gateway, body).rows == (THE_ROW,)


def test_display_only_fields_may_be_missing(daraja, gateway):
    page = pull(daraja, gateway, a_page({"transactionId": "TAV1DE2FGH", "amount": 5}))

    assert page.rows == (StatementRow("TAV1DE2FGH", 5, None, "", "", ""),)


@pytest.mark.parametrize(
    "row",
    [
        A_ROW | {"amount": "1500.50"},
        A_ROW | {"amount": None},
        A_ROW | {"amount": "-5"},
        A_ROW | {"transactionId": ""},
        A_ROW | {"transactionId": 7},
        {},
        None,
        "TAV1DE2FGH",
        7,
    ],
)
def test_a_row_that_cannot_be_read_is_returned_beside_the_others(daraja, gateway, row):
    page = pull(daraja, gateway, a_page(row, A_ROW))

    assert page.rows == (THE_ROW,)
    assert len(page.unreadable) == 1
    assert page.size == 2


def test_an_unreadable_row_is_one_line_of_its_own_json(daraja, gateway):
    page = pull(daraja, gateway, a_page({"transactionId": "é\n", "amount": 1.25}))

    assert page.unreadable == ('{"transactionId": "é\\n", "amount": "1.25"}',)


def test_a_page_of_nothing_but_unreadable_rows_is_not_the_last(daraja, gateway):
    page = pull(daraja, gateway, a_page({}))

    assert (page.rows, page.size, page.is_last) == ((), 1, False)


@pytest.mark.parametrize(
    "body",
    [
        a_page(),
        a_page(code="1001"),
        {"ResponseCode": 1001, "Response": []},
        {"ResponseCode": "1001"},
        {"ResponseCode": "1001", "Response": None},
    ],
)
def test_an_empty_page_is_the_last(daraja, gateway, body):
    page = pull(daraja, gateway, body)

    assert (page.rows, page.unreadable, page.is_last) == ((), (), True)


def test_rows_that_come_with_a_no_are_rows_all_the_same(daraja, gateway):
    assert pull(daraja, gateway, a_page(A_ROW, code="1001")).rows == (THE_ROW,)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, a_page(A_ROW)),
        (200, {"ResponseCode": "1000"}),
        (200, {"ResponseCode": "1000", "Response": A_ROW}),
        (200, {"ResponseCode": "1001", "Response": A_ROW}),
        (200, {"Response": [[A_ROW]]}),
        (200, a_page(A_ROW) | {"errorCode": "500.003.1001"}),
        (500, {"errorCode": "500.003.1001", "errorMessage": "Internal Server Error"}),
        (200, b"<html>"),
        (200, b""),
    ],
)
def test_an_answer_that_is_no_statement_is_unknown_and_not_empty(daraja, gateway, status, body):
    with pytest.raises(DarajaUnknown):
        pull(daraja, gateway, body, status)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "400.002.02", DarajaRefusal.BAD_REQUEST),
        (500, "500.003.03", DarajaRefusal.BUSY_GATEWAY),
    ],
)
def test_a_refusal_is_a_refusal(daraja, gateway, status, code, kind):
    with pytest.raises(DarajaRefused) as refused:
        pull(daraja, gateway, {"errorCode": code, "errorMessage": "No"}, status)

    assert refused.value.kind == kind


@pytest.mark.parametrize("misfortune", [stays_silent, resets, stops_half_way])
def test_a_statement_that_is_lost_is_unknown(client_for, gateway, misfortune):
    gateway.on(PULL, misfortune)

    with pytest.raises(DarajaUnknown):
        client_for(misfortune).pull_transactions(start=FROM, end=TO)


def test_a_page_may_be_longer_than_any_other_answer(daraja, gateway):
    page = pull(daraja, gateway, a_page(*[A_ROW] * 3000))

    assert page.rows == (THE_ROW,) * 3000


def test_a_page_without_end_is_given_up(daraja, gateway):
    with pytest.raises(DarajaUnknown, match="ValueError"):
        pull(daraja, gateway, b" " * 5_000_000)


@pytest.fixture
def registered(simulator, shop):
    daraja = rehearse(simulator)
    daraja.register_pull(nominated_number="0722000111", callback_url=shop.url)
    daraja.register_pull(nominated_number="0722000111", callback_url=shop.url)
    return daraja


def lately():
    now = datetime.now(UTC)
    return {"start": now - timedelta(hours=1), "end": now + timedelta(hours=1)}


def test_payments_are_pulled_page_by_page(make_simulator, shop):
    simulator = make_simulator(pull_page=2)
    daraja = rehearse(simulator)
    daraja.register_pull(nominated_number="0722000111", callback_url=shop.url)
    receipts = [simulator.pay_by_hand(PHONE, 100 + n, "SOFA22")["receipt"] for n in range(5)]

    found, offset, sizes = [], 0, []
    while not (page := daraja.pull_transactions(**lately(), offset=offset)).is_last:
        found += page.rows
        offset += page.size
        sizes.append(page.size)

    assert [row.receipt for row in found] == receipts
    assert [row.amount for row in found] == [100, 101, 102, 103, 104]
    assert sizes == [2, 2, 1]


def test_a_pulled_row_is_the_payment(simulator, registered):
    paid = simulator.pay_by_hand(PHONE, 1500, "SOFA22")

    (row,) = registered.pull_transactions(**lately()).rows

    assert (row.receipt, row.amount, row.reference) == (paid["receipt"], 1500, "SOFA22")
    assert (row.phone, row.transaction_type) == (PHONE[3:], "c2b-pay-bill-debit")
    assert abs((row.paid_at - datetime.now(UTC)).total_seconds()) < 600
    assert row.paid_at.utcoffset() == timedelta(hours=3)


def test_the_bounds_of_a_statement_are_moments_whatever_their_zone(simulator, registered):
    simulator.pay_by_hand(PHONE, 1500, "SOFA22")
    now = datetime.now(UTC)

    assert registered.pull_transactions(start=now - timedelta(minutes=2), end=now).size == 1
    assert registered.pull_transactions(
        start=now - timedelta(hours=3), end=now - timedelta(hours=2)
    ).is_last


def test_nobody_paid_is_an_empty_page(registered):
    assert registered.pull_transactions(**lately()).is_last


def test_a_number_that_is_not_registered_is_a_refusal(rehearsing):
    with pytest.raises(DarajaRefused) as refused:
        rehearsing.pull_transactions(**lately())

    assert refused.value.kind == DarajaRefusal.BAD_REQUEST


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ({"refuse": "too_many_requests"}, DarajaRefused),
        ({"refuse": "busy"}, DarajaUnknown),
        ({"refuse": "unavailable"}, DarajaUnknown),
        ({"answer": "nothing"}, DarajaUnknown),
        ({"answer": "half"}, DarajaUnknown),
        ({"answer": "html"}, DarajaUnknown),
        ({"answer": "error"}, DarajaUnknown),
    ],
)
def test_a_statement_that_goes_wrong_is_never_an_empty_one(simulator, registered, script, kind):
    simulator.pay_by_hand(PHONE, 1500, "SOFA22")
    simulator.script(operation="pull", **script)

    with pytest.raises(kind):
        registered.pull_transactions(**lately())

    assert registered.pull_transactions(**lately()).size == 1


def test_a_token_that_became_worthless_is_replaced(simulator, registered):
    simulator.script(operation="pull", invalidate_token=True)

    assert registered.pull_transactions(**lately()).is_last


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("field", ["sender", "trxDate", "organizationname", "msisdn"])
def test_odd_display_only_fields_lose_no_row_of_the_page(daraja, gateway, field, odd):
    page = a_page({**A_ROW, field: "put it here"}, {**A_ROW, "transactionId": "TAV1DE2FGK"})

    read = pull(daraja, gateway, with_odd(page, odd))

    assert [(row.receipt, row.amount, row.reference) for row in read.rows] == [
        ("TAV1DE2FGH", 1500, "SOFA22"),
        ("TAV1DE2FGK", 1500, "SOFA22"),
    ]
    assert (read.rows[1].paid_at, read.unreadable) == (THE_ROW.paid_at, ())
