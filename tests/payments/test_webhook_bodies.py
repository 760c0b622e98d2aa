"""Any body posted to the webhook is stored unchanged and gets the same answer; never a 5xx."""

import hashlib
import json
from io import BytesIO

import pytest
from django.core.signals import request_finished
from django.db import InterfaceError, OperationalError, connection

from payments.models import GatewayEvent
from payments.webhooks.views import MAX_BODY, receive

from .bodies import failure, post, success

ACCEPTED = {"ResultCode": 0, "ResultDesc": "Accepted"}
CALLBACK = '{"Body":{"stkCallback":%s}}'


@pytest.fixture(autouse=True)
def payments_are_confirmed():
    """Only what is posted tells of a payment here, as where its queries are counted."""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'""',
        b"not json",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b"<html>503</html>",
        b"a=1&b=2",
        b"{" * 60_000,
        b"[" * 60_000,
        b'{"Body": null}',
        b'{"Body": []}',
        b'{"Body": {"stkCallback": 1}}',
        b'{"Body": {}, "Body": {}}',
        (CALLBACK % "{}").encode(),
        (CALLBACK % '{"ResultCode": NaN}').encode(),
        (CALLBACK % '{"ResultCode": 1e400}').encode(),
        (CALLBACK % '{"ResultCode": true, "CheckoutRequestID": "a"}').encode(),
        (CALLBACK % '{"ResultDesc": "\\ud800", "ResultCode": 0}').encode(),
        (CALLBACK % ('{"ResultCode": ' + "9" * 5000 + "}")).encode(),
        b"\xef\xbb\xbf{}",
    ],
)
def test_an_unreadable_body_is_stored_and_accepted(client, payment, body):
    answer = post(client, payment, body)

    event = GatewayEvent.objects.get()
    assert (answer.status_code, answer.json()) == (200, ACCEPTED)
    assert (bytes(event.body), event.state) == (body, "unreadable")
    assert event.sha256 == hashlib.sha256(body).hexdigest()
    assert event.note != ""


@pytest.mark.parametrize(
    "amount", [None, True, "", "3000 KES", -3000, 0, 2999.5, [3000], {"a": 1}, "NaN", 10**12]
)
def test_a_success_without_a_possible_amount_is_unreadable(client, payment, amount):
    told = success(payment)
    told["Body"]["stkCallback"]["CallbackMetadata"]["Item"][0]["Value"] = amount

    post(client, payment, told)

    payment.refresh_from_db()
    assert GatewayEvent.objects.get().state == "unreadable"
    assert payment.status == "submitted"


@pytest.mark.parametrize("receipt", [None, "", 7, True, "ab", "SGL 123456", "SGL\u00df123456"])
def test_a_success_without_a_possible_receipt_is_unreadable(client, payment, receipt):
    told = success(payment)
    told["Body"]["stkCallback"]["CallbackMetadata"]["Item"][1]["Value"] = receipt

    post(client, payment, told)

    payment.refresh_from_db()
    assert GatewayEvent.objects.get().state == "unreadable"
    assert payment.status == "submitted"


def test_sixty_four_kilobytes_are_kept_and_a_byte_more_is_not(client, db):
    kept = post(client, None, b"x" * MAX_BODY, token="")
    refused = post(client, None, b"x" * (MAX_BODY + 1), token="")

    assert (kept.status_code, refused.status_code) == (200, 413)
    assert refused.json() == {"detail": "The body is larger than 64 kB.", "code": "too_large"}
    assert GatewayEvent.objects.count() == 1


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 5000, "²", "0x10", " 12"])
def test_a_length_that_is_none_is_refused(client, db, length):
    answer = client.post(
        "/safwebhook/", b"{}", content_type="application/json", CONTENT_LENGTH=length
    )

    assert answer.status_code == 413
    assert not GatewayEvent.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_m_pesa_posts_and_nothing_else(client, db, method):
    answer = getattr(client, method)("/safwebhook/")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert not GatewayEvent.objects.exists()


def test_a_missing_last_slash_loses_nothing(client, payment):
    told = json.dumps(success(payment)).encode()

    answer = client.generic("POST", f"/safwebhook/{payment.callback_token}", told)

    payment.refresh_from_db()
    assert (answer.status_code, payment.status) == (200, "confirmed")


def test_any_content_type_is_read(client, payment):
    told = json.dumps(success(payment)).encode()

    client.generic(
        "POST",
        f"/safwebhook/{payment.callback_token}/",
        told,
        content_type="application/x-www-form-urlencoded",
    )

    payment.refresh_from_db()
    assert payment.status == "confirmed"


def test_where_it_came_from_is_kept_and_cannot_break_the_keeping(client, db):
    client.post(
        "/safwebhook/",
        {},
        content_type="application/json",
        REMOTE_ADDR="fe80::1%eth0",
        HTTP_USER_AGENT="a\x00b" + "x" * 5000,
        HTTP_BUSINESSSHORTCODE="174379",
    )

    event = GatewayEvent.objects.get()
    assert event.remote_address == "fe80::1"
    assert event.headers["Businessshortcode"] == "174379"
    assert event.headers["User-Agent"] == "ab" + "x" * 498


@pytest.mark.parametrize("error", [OperationalError("no disk"), InterfaceError("closed")])
def test_a_body_that_cannot_be_stored_is_not_accepted(client, db, monkeypatch, error):
    def away(**kwargs):
        raise error

    monkeypatch.setattr("payments.webhooks.views.store_event", away)

    answer = post(client, None, b"{}", token="")

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")


def test_a_message_is_kept_with_one_query_and_answered_before_it_is_read(
    client, payment, monkeypatch, django_assert_num_queries
):
    acted = []
    monkeypatch.setattr(
        "payments.webhooks.views.enqueue", lambda duty, row_id: acted.append(row_id)
    )

    # the message itself
    with django_assert_num_queries(1):
        answer = post(client, payment, success(payment))

    payment.refresh_from_db()
    assert (answer.json(), payment.status) == (ACCEPTED, "submitted")
    assert acted == [GatewayEvent.objects.get().pk]


def test_a_bug_of_ours_does_not_lose_a_message(client, payment, monkeypatch):
    def bug(body):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("payments.webhooks.stk_callback.read_stk_callback", bug)

    answer = post(client, payment, success(payment))

    event = GatewayEvent.objects.get()
    assert (answer.status_code, answer.json()) == (200, ACCEPTED)
    assert (event.state, event.tries, event.note) == ("new", 1, "ZeroDivisionError('ours')")


def test_applying_a_failure_costs_a_known_number_of_queries(
    client, payment, django_assert_num_queries
):
    # keep; savepoint, message, attempt with its order; its end; its hold is cut short, what its
    # buyer is to be told; message, others about it still being checked, release
    with django_assert_num_queries(10):
        post(client, payment, failure(payment))


def test_applying_a_success_costs_a_known_number_of_queries(
    client, payment, django_assert_num_queries
):
    # keep; savepoint, message, attempt with its order; receipts of it or of that number; receipt,
    # posting, its entries, what was told of it; that the phone is the buyer's, and is theirs to be
    # called on; attempt; whether its order is covered, its status; lines moved, their events;
    # lines, movement, shelf; what people are to be told; message, others still being checked,
    # release. PostgreSQL takes a posting and its entries at once.
    with django_assert_num_queries(22 if connection.vendor == "postgresql" else 23):
        post(client, payment, success(payment))


def test_a_success_that_is_known_costs_a_known_number_of_queries(
    client, payment, django_assert_num_queries
):
    body = success(payment)
    post(client, payment, body)

    # keep; savepoint, message, attempt with its order; receipts of it or of that number; whether
    # that was told; what is too much; message, others still being checked, release
    with django_assert_num_queries(10):
        post(client, payment, body)


def test_a_body_in_chunks_is_read_where_the_server_knows_its_end(rf, db):
    def in_chunks(body):
        request = rf.post("/safwebhook/", content_type="application/json")
        del request.META["CONTENT_LENGTH"]
        request.META["wsgi.input"] = BytesIO(body)
        request.META["wsgi.input_terminated"] = True
        return receive(request).status_code

    kept, refused = in_chunks(b"x" * MAX_BODY), in_chunks(b"x" * (MAX_BODY + 1))

    assert (kept, refused) == (200, 413)
    assert len(GatewayEvent.objects.get().body) == MAX_BODY


def test_a_body_that_breaks_off_is_asked_for_again(rf, db):
    request = rf.post("/safwebhook/", b"{}", content_type="application/json")
    request._stream = Broken()

    assert receive(request).status_code == 400
    assert not GatewayEvent.objects.exists()


def test_acting_is_over_before_the_thread_gives_its_connection_back(client, db, monkeypatch):
    done = []
    monkeypatch.setattr(
        "payments.webhooks.views.enqueue", lambda duty, row_id: done.append("acted")
    )

    def finished(**kwargs):
        done.append("finished")

    request_finished.connect(finished)
    post(client, None, b"{}", token="")
    request_finished.disconnect(finished)

    assert done == ["acted", "finished"]


class Broken:
    """A connection that dies while the body is on its way."""

    def read(self, *args):
        raise OSError("connection reset by peer")

    def close(self):
        pass
