"""Guessing: five wrong passwords for one name from one address, and that is that for a while."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

WRONG = "a guess"
LOCKED_OUT = {"detail": "Too many failed attempts. Try again in 5 minutes.", "code": "locked_out"}


@pytest.fixture(autouse=True)
def _locks(settings):
    """The lock-out on, as in production."""
    settings.LOCKOUT = True


def log_in(name="Amina", password=WRONG, **extra):
    return APIClient().post("/login/", {"username": name, "password": password}, **extra)


def fail(times, name="Amina", **extra):
    return [log_in(name, **extra).status_code for _ in range(times)]


def test_the_fifth_wrong_password_locks_and_says_so(amina):
    assert fail(4) == [400] * 4

    response = log_in()

    assert response.status_code == 429
    assert response.json() == LOCKED_OUT
    assert response["Retry-After"] == "300"


def test_the_right_password_is_too_late_then(amina):
    fail(5)

    response = log_in(password=PASSWORD)

    assert response.status_code == 429
    assert response.json() == LOCKED_OUT


def test_after_five_minutes_the_lock_opens(amina):
    fail(5)

    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert log_in(password=PASSWORD).status_code == 200


def test_the_right_password_in_time_starts_the_count_anew(amina):
    fail(4)
    assert log_in(password=PASSWORD).status_code == 200

    assert fail(4) == [400] * 4


@pytest.mark.parametrize(
    "spellings", [["amina", "AMINA", "aMina"], ["Amina", "amina@example.com", "AMINA@example.com"]]
)
def test_spelling_the_name_differently_buys_no_more_guesses(amina, spellings):
    fail(4, spellings[0])

    assert log_in(spellings[1]).status_code == 429
    assert log_in(spellings[2]).status_code == 429


def test_a_forged_header_buys_no_more_guesses(amina):
    fail(4)

    assert log_in(HTTP_X_FORWARDED_FOR="41.90.1.2").status_code == 429
    assert log_in(HTTP_USER_AGENT="another").status_code == 429


def test_a_stranger_cannot_lock_somebody_out_elsewhere(amina):
    fail(5, REMOTE_ADDR="41.90.1.2")

    assert log_in(password=PASSWORD).status_code == 200


def test_a_locked_name_locks_no_other(amina):
    UserFactory(username="wanjiku")
    fail(5)

    assert log_in("wanjiku", PASSWORD).status_code == 200


def test_a_name_nobody_has_is_locked_alike(db):
    assert fail(5, "nobody") == [400] * 4 + [429]


def test_a_closed_account_is_locked_alike(db):
    UserFactory(username="closed", is_active=False)

    assert fail(5, "closed") == [400] * 4 + [429]


def test_switched_off_nobody_is_locked_out(amina, settings):
    settings.LOCKOUT = False

    assert fail(7) == [400] * 7


def test_the_admins_door_is_locked_too(client, db):
    UserFactory(username="boss", is_staff=True, is_superuser=True)
    form = {"username": "boss", "password": "a guess"}

    statuses = [client.post("/admin/login/", form).status_code for _ in range(5)]

    assert statuses == [200] * 4 + [429]
