"""Codes sent by SMS: typed once, guessed by nobody, and not sent without end."""

# ruff: noqa: F401, F811 - a fixture of others

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import lockout, phone_codes
from accounts.models import PhoneCode, User
from accounts.phone_codes import delete_old_codes
from omachemainproj.sms.errors import MaybeSent, NotSent
from tests.threads import at_once

from .browser_client import later
from .phone_sign_in import PHONE, ask, carrier, code_of, type_in

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


def test_a_code_works_once(carrier):
    token, code = ask().json()["token"], carrier.code
    type_in(token, code)

    answer = type_in(token, code)

    assert (answer.status_code, answer.json()) == (400, {"code": [phone_codes.WRONG]})


def test_the_right_code_is_refused_after_five_wrong_ones(carrier):
    token = ask().json()["token"]
    wrong = f"{(int(carrier.code) + 1) % 10**6:06}"
    for _ in range(5):
        assert type_in(token, wrong).status_code == 400

    assert type_in(token, carrier.code).status_code == 400


def test_a_code_is_over_after_ten_minutes(carrier):
    token = ask().json()["token"]

    with later(minutes=10, seconds=1):
        assert type_in(token, carrier.code).status_code == 400


def test_a_code_is_of_no_use_to_who_has_not_its_token(carrier):
    """Guessing across sessions: what another was sent is nobody's to guess at."""
    ask()
    victims = carrier.code
    with later(minutes=2):
        own = ask().json()["token"]

        assert type_in(own, victims).status_code == 400


def test_a_code_is_of_no_use_for_another_phone(carrier):
    token = ask().json()["token"]

    assert type_in(token, carrier.code, "254712000001").status_code == 400


def test_requesting_more_codes_does_not_invalidate_anothers_code(carrier):
    victims, code = ask().json()["token"], carrier.code
    with later(minutes=2):
        ask()

        assert type_in(victims, code).status_code == 201


def test_a_code_for_one_purpose_is_none_for_another(carrier, amina_api):
    token = ask().json()["token"]
    body = {"phone": PHONE, "token": token, "code": carrier.code}

    assert amina_api.post("/account/phone/confirm/", body).status_code == 400


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦7", "0" * 33])
def test_an_invalid_code_is_refused_politely(carrier, code):
    assert type_in(ask().json()["token"], code).status_code == 400


def test_a_code_may_be_pasted_with_signs_nobody_sees(carrier):
    token = ask().json()["token"]

    assert type_in(token, f"\u200e {carrier.code}\u200b").status_code == 201


def test_wrong_codes_count_with_their_network(carrier, settings, monkeypatch):
    settings.LOCKOUT = True

    statuses = {type_in(f"{number}", "123456").status_code for number in range(101)}

    assert statuses == {400, 429}


def test_strangers_lock_nobody_out_by_wrong_codes(carrier, settings, monkeypatch):
    settings.LOCKOUT = True
    monkeypatch.setitem(lockout.LIMITS, "network", lockout._Limit(5, HOUR, HOUR))
    statuses = [type_in(f"{number}", "123456").status_code for number in range(8)]
    token = ask().json()["token"]
    mistyped = type_in(token, f"{(int(carrier.code) + 1) % 10**6:06}")

    answer = type_in(token, carrier.code)

    assert statuses == [400] * 4 + [429] * 4
    assert mistyped.status_code == 429
    assert answer.status_code == 201


def test_a_locked_network_has_five_tries_at_a_code_as_any_other(carrier, settings, monkeypatch):
    settings.LOCKOUT = True
    monkeypatch.setitem(lockout.LIMITS, "network", lockout._Limit(1, HOUR, HOUR))
    token = ask().json()["token"]
    wrong = f"{(int(carrier.code) + 1) % 10**6:06}"
    statuses = [type_in(token, wrong).status_code for _ in range(5)]

    answer = type_in(token, carrier.code)

    assert statuses == [429] * 5
    assert answer.status_code == 429
    assert not User.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_of_twelve_concurrent_uses_of_a_code_succeeds(carrier):
    token, code = ask().json()["token"], carrier.code

    answers = at_once(*[lambda: type_in(token, code)] * 12)

    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 11


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_five_of_twelve_concurrent_guesses_are_checked(carrier):
    token = ask().json()["token"]
    wrong = f"{(int(carrier.code) + 1) % 10**6:06}"

    at_once(*[lambda: type_in(token, wrong)] * 12)

    assert PhoneCode.objects.get().tries == 5


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_codes_of_one_newcomer_make_one_account(carrier):
    tokens = []
    for minutes in (-5, -3):
        with later(minutes=minutes):
            tokens.append((ask().json()["token"], carrier.code))

    answers = at_once(*[lambda one=one: type_in(*one) for one in tokens])

    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert len({answer.json()["user"]["pk"] for answer in answers}) == 1


def test_the_database_knows_neither_phone_nor_code_nor_token(carrier):
    token = ask().json()["token"]

    kept = " ".join(str(value) for value in PhoneCode.objects.values_list().get())

    for secret in (token, PHONE, PHONE[-9:], carrier.code):
        assert secret not in kept.replace(str(PhoneCode.objects.get().expires_at), "")


def test_codes_that_are_over_are_deleted(carrier):
    ask()

    assert delete_old_codes(timezone.now()) == 0
    assert delete_old_codes(timezone.now() + timedelta(minutes=11)) == 1


def test_a_phone_gets_one_code_a_minute(carrier):
    ask()

    answer = ask()

    assert code_of(answer) == (429, "too_many_codes")
    assert answer["Retry-After"] == "60"
    assert len(carrier.sent) == 1


def test_a_phone_gets_five_codes_an_hour_and_ten_a_day(carrier):
    start = timezone.now()
    for minutes in (*range(0, 60, 5), *range(60, 24 * 60, 15)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            ask()
        if minutes == 55:
            assert len(carrier.sent) == 5

    assert len(carrier.sent) == 10


def test_a_network_asks_for_so_many_codes_whatever_the_phones(carrier, settings):
    settings.PHONE_CODES_A_NETWORK = 3

    statuses = [ask(f"2547120000{number:02}").status_code for number in range(4)]

    assert statuses == [200] * 3 + [429]


def test_the_shop_pays_for_so_many_codes_a_day(carrier, settings):
    settings.PHONE_CODES_A_DAY = 2

    statuses = [
        APIClient()
        .post("/login/phone/", {"phone": f"25471200000{n}"}, REMOTE_ADDR=f"41.90.{n}.1")
        .status_code
        for n in range(3)
    ]

    assert statuses == [200, 200, 429]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twelve_concurrent_requests_send_one_code(carrier):
    answers = at_once(*[ask] * 12)

    assert sorted(answer.status_code for answer in answers) == [200] + [429] * 11
    assert len(carrier.sent) == 1


def test_a_code_that_was_certainly_not_sent_does_not_count(carrier):
    carrier.trouble = NotSent("no credit", retryable=True)
    ask()
    carrier.trouble = None

    assert ask().status_code == 200


def test_a_code_that_may_have_been_sent_counts(carrier):
    carrier.trouble = MaybeSent("no answer")
    assert ask().status_code == 200

    assert ask().status_code == 429
