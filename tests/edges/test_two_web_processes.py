"""Two web processes of a real shop without Redis: whatever counts, counts over both.

They are started with production's settings, and share a database alone.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import pytest
import requests
from django.utils.crypto import get_random_string

from accounts.hashers import Argon2
from accounts.models import ContactCount, User
from omachemainproj.models import CacheEntry
from orders.models import Order
from tests.databases import url_of_test_database
from tests.factories import ProductFactory, UserFactory
from tests.threads import PATIENCE, many_at_once
from tools.deploy_check import PRODUCTION

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "sukuma wiki 7"
NEW_PHONES = 3
SEARCHES_A_MINUTE = 60


@pytest.fixture
def shop(monkeypatch, tmp_path):
    """The addresses of two processes of one shop."""
    key = get_random_string(60)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **PRODUCTION,
        "DJANGO_SECRET_KEY": key,
        "DATABASE_URL": url_of_test_database(),
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "off",
        "DARAJA_BASE_URL": "http://127.0.0.1:9",
        "DARAJA_CALLBACK_BASE_URL": "http://127.0.0.1:9",
        "EMAIL_URL": "dummymail://",
        "FRONTEND_URL": "http://127.0.0.1:9/shop",
        "MEDIA_ROOT": str(tmp_path),
        "NEW_PHONES_A_NETWORK": str(NEW_PHONES),
        "ACCESS_LOG": "off",
    }
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.edges.web_process"],
                    cwd=ROOT,
                    env=environment,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(2)
        ]
        for process in processes:
            stack.callback(process.kill)
        yield [f"http://127.0.0.1:{process.stdout.readline().strip()}" for process in processes]


def joined(name):
    """Somebody whose password the shop's processes can check."""
    person = UserFactory(username=name)
    encoded = Argon2().encode(PASSWORD, get_random_string(22))
    User.objects.filter(pk=person.pk).update(password=encoded)
    return person


def signed_in(shop, name):
    """The header of a person who has signed in at the first of the processes."""
    body = {"username": name, "password": PASSWORD}
    answer = requests.post(f"{shop[0]}/login/", json=body, timeout=PATIENCE)
    return {"Authorization": f"Bearer {answer.json()['access']}"}


def at_both(shop, calls):
    """Make the calls at once, each at the next of both processes. Returns their answers."""
    return many_at_once(
        [lambda call=call, at=at: call(at) for call, at in zip(calls, cycle(shop), strict=False)],
        at_a_time=8,
    )


def in_one_minute(play):
    """Play again what did not fall into one minute: limits count by it. Returns what it gave."""
    for _ in range(5):
        CacheEntry.objects.all().delete()
        minute = time.time() // 60
        played = play()
        if time.time() // 60 == minute:
            return played
    raise AssertionError("it takes longer than a minute")


def test_a_rate_limit_is_one_limit(shop):
    joined("juma")
    header = signed_in(shop, "juma")

    def search(at):
        return requests.get(
            f"{at}/product/search/?search=kettle", headers=header, timeout=PATIENCE
        ).status_code

    answers = in_one_minute(lambda: at_both(shop, [search] * (SEARCHES_A_MINUTE + 20)))

    assert Counter(answers) == {200: SEARCHES_A_MINUTE, 429: 20}
    assert CacheEntry.objects.filter(key__contains="throttle:search").exists()


def test_a_lock_out_is_one_lock_out(shop):
    joined("juma")

    def guess(at):
        body = {"username": "juma", "password": "wrong"}
        return requests.post(f"{at}/login/", json=body, timeout=PATIENCE)

    # Four are let try; the fifth begins the wait, and from then on nobody's password is looked at.
    failed = [guess(shop[number % 2]).json().get("code") for number in range(7)]
    right = {"username": "juma", "password": PASSWORD}
    answers = [requests.post(f"{at}/login/", json=right, timeout=PATIENCE) for at in shop]

    assert failed.count("locked_out") >= 2
    assert [answer.json()["code"] for answer in answers] == ["locked_out"] * 2


def test_a_budget_of_phones_to_ring_is_one_budget(shop):
    kettle = ProductFactory(item_number=20, price=100)
    headers = []
    for number in range(6):
        joined(f"juma{number}")
        headers.append(signed_in(shop, f"juma{number}"))

    def cash_out(number):
        body = {
            "order": [{"product": kettle.pk, "number": 1}],
            "mpesa_number": f"071234560{number}",
        }
        return lambda at: (
            requests.post(
                f"{at}/cashout/", json=body, headers=headers[number], timeout=PATIENCE
            ).status_code
        )

    answers = at_both(shop, [cash_out(number) for number in range(6)])

    assert Counter(answers) == {201: NEW_PHONES, 429: 3}
    assert ContactCount.objects.exists()


def test_a_key_names_one_order(shop):
    kettle = ProductFactory(item_number=20, price=100)
    joined("juma")
    header = {**signed_in(shop, "juma"), "Idempotency-Key": "one-order"}
    body = {"order": [{"product": kettle.pk, "number": 1}], "mpesa_number": "0712345678"}

    def cash_out(at):
        return requests.post(f"{at}/cashout/", json=body, headers=header, timeout=PATIENCE)

    answers = [answer for answer in at_both(shop, [cash_out] * 8) if answer.status_code == 201]

    assert {answer.json()["order_token"] for answer in answers} == {
        str(Order.objects.get().order_token)
    }
    replayed = [answer.headers.get("Idempotent-Replayed") for answer in answers]
    assert replayed.count(None) == 1


def test_the_last_item_is_sold_once(shop):
    kettle = ProductFactory(item_number=2, price=100)
    headers = []
    for number in range(3):
        joined(f"juma{number}")
        headers.append(signed_in(shop, f"juma{number}"))

    def cash_out(header):
        body = {"order": [{"product": kettle.pk, "number": 1}], "mpesa_number": "0712345678"}
        return lambda at: (
            requests.post(f"{at}/cashout/", json=body, headers=header, timeout=PATIENCE).status_code
        )

    answers = at_both(shop, [cash_out(header) for header in headers])

    kettle.refresh_from_db()
    # A third may be sold what one of the first two let go, whose phone could not be rung.
    assert answers.count(201) >= 2
    assert kettle.held == Order.objects.filter(payment_status="requested").count() == 2


def test_signing_out_in_one_process_applies_to_both(shop):
    joined("juma")
    header = signed_in(shop, "juma")

    def seen():
        answers = [requests.get(f"{at}/user/", headers=header, timeout=PATIENCE) for at in shop]
        return [answer.status_code for answer in answers]

    assert seen() == [200, 200]
    User.objects.filter(username="juma").update(is_active=False)

    assert seen() == [401, 401]
