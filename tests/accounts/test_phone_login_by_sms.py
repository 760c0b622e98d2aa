"""Joining by phone, with the SMS on the simulator's phone: over real HTTP, behind the commit."""

import re
from queue import Queue
from threading import Event

import pytest
from rest_framework.test import APIClient

from accounts import phone_codes
from accounts.models import User
from daraja_simulator.tests.waiting import PATIENCE, wait_until
from tests.guards import no_network_in_transactions  # noqa: F401
from tests.notifications.conftest import phones  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def newest_sms(simulator, phone):
    """The text of the newest SMS, once the thread that sends it is done."""
    phone_codes._sender.submit(lambda: None).result()
    wait_until(lambda: simulator.phone(phone)["inbox"])
    return simulator.phone(phone)["inbox"][0]


@pytest.mark.usefixtures("no_network_in_transactions")
def test_a_newcomer_reads_the_code_on_the_phone_and_is_in(phones):  # noqa: F811
    api = APIClient()
    token = api.post("/login/phone/", {"phone": "0712345678"}).json()["token"]
    sms = newest_sms(phones, "254712345678")
    code = re.search(r"\b\d{6}\b", str(sms)).group()

    answer = api.post(
        "/login/phone/confirm/", {"phone": "0712345678", "token": token, "code": code}
    )

    assert answer.status_code == 201
    assert User.objects.get().phone == "254712345678"
    assert "O-MACHE" in str(sms)


def test_an_answer_does_not_wait_for_the_carrier(monkeypatch):
    answered, was_answered = Event(), Queue()

    class Carrier:
        def send(self, **what):
            was_answered.put(answered.wait(PATIENCE))

    monkeypatch.setattr(phone_codes, "sms_provider", Carrier)

    answer = APIClient().post("/login/phone/", {"phone": "0712345678"})
    answered.set()

    assert answer.status_code == 200
    assert was_answered.get(timeout=PATIENCE)
