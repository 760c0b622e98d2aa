"""Signing in and linking by phone as a person does it, with a carrier that keeps every SMS."""

import re

import pytest
from rest_framework.test import APIClient

from accounts import phone_codes
from tests.factories import PASSWORD

PHONE = "254712345678"


class Carrier:
    """Takes every SMS; ``trouble`` says otherwise."""

    def __init__(self):
        self.sent, self.trouble = [], None

    def send(self, *, phone, text):
        self.sent.append((phone, text))
        if self.trouble:
            raise self.trouble
        return "1"

    @property
    def code(self):
        """The code of the newest SMS."""
        return re.search(r"\b\d{6}\b", self.sent[-1][1]).group()


class AtOnce:
    """A thread that has done its work before anybody looks."""

    def submit(self, job, *args):
        job(*args)


@pytest.fixture(autouse=True)
def carrier(monkeypatch, settings):
    carrier = Carrier()
    monkeypatch.setattr(phone_codes, "sms_provider", lambda: carrier)
    monkeypatch.setattr(phone_codes, "_sender", AtOnce())
    monkeypatch.setattr(phone_codes.transaction, "on_commit", lambda job, robust=False: job())
    settings.PHONE_LOGIN = True
    return carrier


def ask(phone=PHONE, **headers):
    return APIClient().post("/login/phone/", {"phone": phone}, headers=headers)


def type_in(token, code, phone=PHONE, headers=None, **more):
    body = {"phone": phone, "token": token, "code": code, **more}
    return APIClient().post("/login/phone/confirm/", body, headers=headers or {})


def enter(carrier, phone=PHONE, **more):
    """Sign in with this phone, from asking to typing."""
    return type_in(ask(phone).json()["token"], carrier.code, phone, **more)


def code_of(response):
    return response.status_code, response.json().get("code")


def link(api, carrier, phone=PHONE):
    sent = api.post("/account/phone/", {"phone": phone, "password": PASSWORD}).json()
    body = {"phone": phone, "token": sent["token"], "code": carrier.code}
    return api.post("/account/phone/confirm/", body)
