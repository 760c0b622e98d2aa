"""SMS over real HTTP, to a pretend Africa's Talking and to servers that break off."""

from urllib.parse import parse_qs

import pytest
import requests

from daraja_simulator import Simulator
from daraja_simulator.africastalking import STATUSES
from daraja_simulator.tests.waiting import PATIENCE
from omachemainproj.sms.africastalking import AfricasTalking
from omachemainproj.sms.errors import MaybeSent, NotSent
from orders.notifications import channels
from orders.notifications.sending import send_message
from tests.daraja.gateway import (
    hangs_up,
    replies,
    resets,
    running_gateway,
    stays_silent,
    stops_half_way,
    trickles,
)

from .conftest import a_message

pytestmark = pytest.mark.django_db

PHONE = "254712345678"


PATH = "/version1/messaging"


@pytest.fixture
def server():
    with running_gateway() as server:
        yield server


def carrier(url, *, seconds=PATIENCE, **more):
    how = {"username": "omache", "api_key": "k", "timeout": (seconds, seconds)}
    return AfricasTalking(url, **how, **more)


def recipient(**changed):
    usual = {"statusCode": 101, "number": f"+{PHONE}", "status": "Success", "messageId": "ATXid_1"}
    return {"SMSMessageData": {"Message": "Sent to 1/1", "Recipients": [usual | changed]}}


def answer(server, body, status=201):
    server.on(PATH, replies(status, body.encode() if isinstance(body, str) else body))
    return carrier(server.url).send(phone=PHONE, text="Habari")


def test_the_request_is_the_documented_one(server):
    server.on(PATH, replies(201, recipient()))

    name = carrier(server.url, sender="O-MACHE").send(phone=PHONE, text="Oda é & co")

    [heard] = server.heard_on(PATH)
    assert name == "ATXid_1"
    assert heard.method == "POST"
    assert heard.headers["apiKey"] == "k"
    assert heard.headers["Accept"] == "application/json"
    assert heard.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(heard.body.decode()) == {
        "username": ["omache"],
        "to": ["+254712345678"],
        "message": ["Oda é & co"],
        "from": ["O-MACHE"],
    }


@pytest.mark.parametrize("code", [100, 101, 102])
def test_an_accepted_sms_has_an_id(server, code):
    assert answer(server, recipient(statusCode=code)) == "ATXid_1"


@pytest.mark.parametrize("no_id", ["None", "", None, 7])
def test_an_sms_accepted_without_an_id_has_none(server, no_id):
    assert answer(server, recipient(messageId=no_id)) == ""


@pytest.mark.parametrize(
    ("code", "retryable"),
    [(code, code in {405, 500, 501}) for code in STATUSES if code >= 400],
)
def test_a_refused_recipient_says_whether_it_may_pass(server, code, retryable):
    with pytest.raises(NotSent, match=f"^{code} Why$") as refusal:
        answer(server, recipient(statusCode=code, status="Why"))

    assert refusal.value.retryable is retryable


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(302, True), (400, False), (401, True), (404, True), (422, False), (429, True), (503, True)],
)
def test_a_refusal_at_the_door_was_not_sent(server, status, retryable):
    with pytest.raises(NotSent) as refusal:
        answer(server, "no", status)

    assert refusal.value.retryable is retryable


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
    with pytest.raises(MaybeSent):
        answer(server, body, status)


def test_nobody_sent_to_is_a_refusal_with_its_reason(server):
    nobody = {"SMSMessageData": {"Message": "InvalidSenderId", "Recipients": []}}

    with pytest.raises(NotSent, match=r"^InvalidSenderId$"):
        answer(server, nobody)


def test_a_redirect_is_not_followed(server):
    server.on(PATH, replies(302, b"", Location=f"{server.url}/elsewhere"))

    with pytest.raises(NotSent):
        carrier(server.url).send(phone=PHONE, text="x")

    assert server.heard_on("/elsewhere") == []


@pytest.mark.parametrize("manners", [stays_silent, resets, hangs_up, stops_half_way, trickles])
def test_a_request_that_left_and_was_not_answered_is_unclear(server, manners):
    server.on(PATH, manners)
    seconds = 0.3 if manners in (stays_silent, trickles) else PATIENCE

    with pytest.raises(MaybeSent):
        carrier(server.url, seconds=seconds).send(phone=PHONE, text="x")


def test_a_port_nobody_listens_on_was_certainly_not_reached():
    with pytest.raises(NotSent, match="not reached") as refusal:
        carrier("http://127.0.0.1:9").send(phone=PHONE, text="x")

    assert refusal.value.retryable


def test_an_endless_answer_is_unclear(server):
    with pytest.raises(MaybeSent):
        answer(server, b"x" * 100_000)


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
            timeout=PATIENCE,
        )

    assert answered.status_code == said


def test_the_simulator_knows_no_number_that_is_none():
    with Simulator(port=0) as simulator:
        answered = requests.post(
            f"{simulator.url}/version1/messaging",
            data={"username": "omache", "to": "0712345678", "message": "x"},
            headers={"apiKey": "simulator-sms-key"},
            timeout=PATIENCE,
        )

    [only] = answered.json()["SMSMessageData"]["Recipients"]
    assert (only["statusCode"], only["status"]) == (403, "InvalidPhoneNumber")


def test_on_a_laptop_an_sms_goes_to_the_log(settings, caplog):
    settings.SMS = "console"
    caplog.set_level("INFO")

    assert channels.sms_provider().send(phone=PHONE, text="Habari") == "logged"

    assert "Habari" in caplog.text
