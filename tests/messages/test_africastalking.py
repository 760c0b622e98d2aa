"""SMS over real HTTP, to a pretend Africa's Talking and to servers that break off."""

import json

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Response

from orders import channels
from orders.channels.africastalking import AfricasTalking
from orders.channels.errors import NotTaken, Unclear
from orders.delivery import send_message
from payments.simulator import Simulator

from .conftest import a_message

pytestmark = pytest.mark.django_db

PHONE = "254712345678"


@pytest.fixture
def server():
    with HTTPServer(host="127.0.0.1") as server:
        yield server


def carrier(url, **more):
    return AfricasTalking(url, username="omache", api_key="k", timeout=(0.3, 0.3), **more)


def recipient(**changed):
    usual = {"statusCode": 101, "number": f"+{PHONE}", "status": "Success", "messageId": "ATXid_1"}
    return {"SMSMessageData": {"Message": "Sent to 1/1", "Recipients": [usual | changed]}}


def answer(server, body, status=201):
    body = body if isinstance(body, str | bytes) else json.dumps(body)
    server.expect_request("/version1/messaging").respond_with_data(body, status=status)
    return carrier(server.url_for("")).send(phone=PHONE, text="Habari")


def test_the_request_is_the_documented_one(server):
    server.expect_request("/version1/messaging").respond_with_json(recipient(), status=201)

    name = carrier(server.url_for(""), sender="O-MACHE").send(phone=PHONE, text="Oda é & co")

    [(request, _)] = server.log
    assert name == "ATXid_1"
    assert request.method == "POST"
    assert request.headers["apiKey"] == "k"
    assert request.headers["Accept"] == "application/json"
    assert request.form.to_dict() == {
        "username": "omache",
        "to": "+254712345678",
        "message": "Oda é & co",
        "from": "O-MACHE",
    }


@pytest.mark.parametrize("code", [100, 101, 102])
def test_what_is_taken_has_a_name(server, code):
    assert answer(server, recipient(statusCode=code)) == "ATXid_1"


@pytest.mark.parametrize(
    ("code", "again"),
    [(401, False), (402, False), (403, False), (404, False), (405, True), (406, False)]
    + [(407, False), (500, True), (501, True), (502, False)],
)
def test_a_refused_recipient_says_whether_it_may_pass(server, code, again):
    with pytest.raises(NotTaken, match=f"^{code} Why$") as refusal:
        answer(server, recipient(statusCode=code, status="Why"))

    assert refusal.value.again is again


@pytest.mark.parametrize(
    ("status", "again"),
    [(302, True), (400, False), (401, True), (404, True), (422, False), (429, True), (503, True)],
)
def test_a_refusal_at_the_door_was_not_sent(server, status, again):
    with pytest.raises(NotTaken) as refusal:
        answer(server, "no", status)

    assert refusal.value.again is again


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("oops", 500),
        ("oops", 502),
        ("oops", 504),
        ("<html>", 201),
        ("", 201),
        ("[]", 201),
        ({}, 201),
        ({"SMSMessageData": []}, 201),
        ({"SMSMessageData": {"Recipients": "none"}}, 201),
        ({"SMSMessageData": {"Recipients": [1]}}, 201),
        ({"SMSMessageData": {"Recipients": [{}, {}]}}, 201),
        (recipient(statusCode="101"), 201),
        (recipient(statusCode=True), 201),
        (recipient(statusCode=999), 201),
        (recipient(), 299),
        ('{"SMSMessageData": {}, "SMSMessageData": {}}', 201),
    ],
)
def test_an_answer_that_is_neither_yes_nor_no_is_unclear(server, body, status):
    with pytest.raises(Unclear):
        answer(server, body, status)


def test_nobody_sent_to_is_a_refusal_with_its_reason(server):
    nobody = {"SMSMessageData": {"Message": "InvalidSenderId", "Recipients": []}}

    with pytest.raises(NotTaken, match="^InvalidSenderId$"):
        answer(server, nobody)


def test_a_redirect_is_not_followed(server):
    moved = Response("", status=302, headers={"Location": server.url_for("/elsewhere")})
    server.expect_request("/version1/messaging").respond_with_response(moved)

    with pytest.raises(NotTaken):
        carrier(server.url_for("")).send(phone=PHONE, text="x")

    assert [request.path for request, _ in server.log] == ["/version1/messaging"]


def test_a_port_nobody_listens_on_was_certainly_not_reached():
    with pytest.raises(NotTaken, match="not reached") as refusal:
        carrier("http://127.0.0.1:9").send(phone=PHONE, text="x")

    assert refusal.value.again


def test_an_endless_answer_is_unclear(server):
    with pytest.raises(Unclear):
        answer(server, b"x" * 100_000)


# --- Through the simulator's phones ------------------------------------------------------------


def test_an_sms_shows_on_the_phone(order, phones):
    message = a_message(order, text="O-Mache: KES 3,000 received.")

    send_message(message.pk)

    [shown] = phones.phone(PHONE)["inbox"]
    message.refresh_from_db()
    assert (shown["from"], shown["text"]) == ("O-MACHE", "O-Mache: KES 3,000 received.")
    assert message.state == "sent"
    assert message.provider_id.startswith("ATXid_")


@pytest.mark.parametrize(
    ("fault", "state", "shown"),
    [
        ({"refuse": "unavailable"}, "due", 0),
        ({"refuse": "too_many_requests"}, "due", 0),
        ({"refuse": "internal_error"}, "unknown", 0),
        ({"outcome": "405"}, "due", 0),
        ({"outcome": "406"}, "failed", 0),
        ({"answer": "nothing"}, "unknown", 1),
        ({"answer": "half"}, "unknown", 1),
        ({"answer": "html"}, "unknown", 1),
        ({"answer": "error"}, "unknown", 1),
    ],
    ids=str,
)
def test_each_fault_of_the_carrier_ends_as_it_must(order, phones, fault, state, shown):
    phones.script(operation="sms", **fault)
    message = a_message(order)

    send_message(message.pk)
    send_message(message.pk)

    message.refresh_from_db()
    assert (message.state, len(phones.phone(PHONE)["inbox"])) == (state, shown)


def test_a_wrong_key_waits_for_the_settings_to_be_put_right(order, phones, settings):
    settings.AFRICASTALKING_API_KEY = "wrong"
    message = a_message(order)

    send_message(message.pk)

    message.refresh_from_db()
    assert (message.state, message.reason) == ("due", "HTTP 401")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"username": "omache", "to": "+254712345678"}, 400),
        ({"username": "somebody", "to": "+254712345678", "message": "x"}, 401),
    ],
)
def test_the_simulator_is_as_strict(form, said):
    with Simulator(port=0) as simulator:
        answered = requests.post(
            f"{simulator.url}/version1/messaging",
            data=form,
            headers={"apiKey": "simulator-sms-key"},
            timeout=5,
        )

    assert answered.status_code == said


def test_the_simulator_knows_no_number_that_is_none():
    with Simulator(port=0) as simulator:
        answered = requests.post(
            f"{simulator.url}/version1/messaging",
            data={"username": "omache", "to": "0712345678", "message": "x"},
            headers={"apiKey": "simulator-sms-key"},
            timeout=5,
        )

    [only] = answered.json()["SMSMessageData"]["Recipients"]
    assert (only["statusCode"], only["status"]) == (403, "InvalidPhoneNumber")


def test_on_a_laptop_an_sms_goes_to_the_log(settings, caplog):
    settings.SMS = "console"
    caplog.set_level("INFO")

    assert channels.sms().send(phone=PHONE, text="Habari") == ""

    assert "Habari" in caplog.text
