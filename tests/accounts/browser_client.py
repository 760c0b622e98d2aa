"""Helpers: a browser that signs in, renews and moves its token, with cookies."""

from datetime import timedelta
from http.cookies import SimpleCookie

import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from tests.factories import PASSWORD

COOKIE = {"Token-Transport": "cookie"}
KEY = "3fQ9c0pZr1Vw7sXy"


def later(**span):
    """Time travel: ``with later(minutes=5):``."""
    return time_machine.travel(timezone.now() + timedelta(**span), tick=False)


def code(response):
    """The status and error code of a response."""
    return response.status_code, response.json().get("code")


def sign_in(browser, name="Amina"):
    body = {"username": name, "password": PASSWORD}
    return browser.post("/login/", body, headers=COOKIE)


def renew(browser, **headers):
    return browser.post("/token/refresh/", headers={**COOKIE, **headers})


def move(browser, pair, **headers):
    body = {"refresh": pair["refresh"]}
    return browser.post("/token/refresh/", body, headers={**COOKIE, **headers})


def same_jar(browser):
    """Another tab: the same cookies now, but no more what the first is given."""
    tab = APIClient()
    tab.cookies = SimpleCookie(browser.cookies.output(header="", sep=";"))
    return tab
