"""A shop that sells to guests, and their phones; the books are watched as in tests/orders."""

import re

import pytest
from rest_framework.test import APIClient

from accounts import phone_codes
from tests.guards import balanced_books, no_network_in_transactions  # noqa: F401
from tests.payments.fakes import FakeDaraja
from tests.shopping import PHONE, cash_out


class Carrier:
    """Takes every SMS."""

    def __init__(self):
        self.sent = []

    def send(self, *, phone, text):
        self.sent.append((phone, text))
        return "1"


class AtOnce:
    """A thread that has done its work before anybody looks."""

    def submit(self, job, *args):
        job(*args)


@pytest.fixture(autouse=True)
def _watched(balanced_books, no_network_in_transactions):  # noqa: F811
    pass


@pytest.fixture(autouse=True)
def daraja(monkeypatch):
    """M-Pesa, which takes every prompt and says no more."""
    fake = FakeDaraja()
    monkeypatch.setattr("payments.gateway.daraja", lambda: fake)
    return fake


@pytest.fixture(autouse=True)
def carrier(monkeypatch, settings):
    carrier = Carrier()
    monkeypatch.setattr(phone_codes, "sms_provider", lambda: carrier)
    monkeypatch.setattr(phone_codes, "_sender", AtOnce())
    settings.GUEST_CHECKOUT = True
    settings.PHONE_LOGIN = True
    return carrier


@pytest.fixture
def prove(carrier, django_capture_on_commit_callbacks):
    """Type a code that was sent to a phone at /login/phone/confirm/; the client that it opens."""

    def enter(phone=PHONE):
        with django_capture_on_commit_callbacks(execute=True):
            token = APIClient().post("/login/phone/", {"phone": phone}).json()["token"]
        code = re.search(r"\b\d{6}\b", carrier.sent[-1][1]).group()
        answer = APIClient().post(
            "/login/phone/confirm/", {"phone": phone, "token": token, "code": code}
        )
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
        return client

    return enter


def as_guest(*lines, phone="0712345678", key=None, **extra):
    """POST /cashout/ by somebody who says nothing of who they are."""
    return cash_out(APIClient(**extra), *lines, phone=phone, key=key)


def path_of(answer, then=""):
    return f"/cashout/{answer.json()['order_token']}/{then}"
