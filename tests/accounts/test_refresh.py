"""Exchanging refresh tokens: once, by whom they were given to, while nothing has changed."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import tokens
from accounts.models import User
from accounts.tokens import delete_expired_tokens
from tests.batches import ids_in_a_statement
from tests.threads import at_once

from .browser_client import code
from .conftest import bearer, log_in, refresh

pytestmark = pytest.mark.django_db


def test_a_refresh_token_is_exchanged_for_a_new_pair(pair):
    response = refresh(pair["refresh"])

    fresh = response.json()
    assert response.status_code == 200
    assert set(fresh) == {"access", "refresh", "access_expiration", "refresh_expiration"}
    assert fresh["refresh"] != pair["refresh"]
    assert bearer(fresh["access"]).get("/user/").status_code == 200
    assert refresh(fresh["refresh"]).status_code == 200


def test_the_answer_says_when_each_token_ends(pair):
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False):
        token = tokens.issue(_owner(pair)).refresh
        answer = refresh(str(token)).json()

    assert answer["access_expiration"] == "2030-01-01T03:05:00+03:00"
    assert answer["refresh_expiration"] == "2030-01-15T03:00:00+03:00"


def test_a_refresh_token_works_once(pair):
    refresh(pair["refresh"])

    response = refresh(pair["refresh"])

    assert code(response) == (401, "token_spent")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_second_try_at_once_harms_nobody(pair):
    fresh = refresh(pair["refresh"]).json()

    refresh(pair["refresh"])

    assert refresh(fresh["refresh"]).status_code == 200


def test_a_spent_token_shown_again_later_ends_all_the_users_refresh_tokens(api, pair):
    fresh = refresh(pair["refresh"]).json()
    elsewhere = log_in(api, "Amina").json()

    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        again = refresh(pair["refresh"])

        assert code(again) == (401, "token_spent")
        assert refresh(fresh["refresh"]).status_code == 401
        assert refresh(elsewhere["refresh"]).status_code == 401


def test_a_stolen_token_ends_nobody_elses(api, pair, buyer):
    refresh(pair["refresh"])
    others = log_in(api, "wanjiku").json()

    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        refresh(pair["refresh"])

        assert refresh(others["refresh"]).status_code == 200


def test_a_token_that_was_signed_out_ends_nothing_when_shown_later(api, pair):
    elsewhere = log_in(api, "Amina").json()
    api.post("/logout/", {"refresh": pair["refresh"]})

    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        assert refresh(pair["refresh"]).status_code == 401

        assert refresh(elsewhere["refresh"]).status_code == 200


def test_a_forgotten_device_does_not_end_a_log_in_made_after_the_theft(api, pair):
    phone = log_in(api, "Amina").json()
    refresh(pair["refresh"])
    with time_machine.travel(timezone.now() + timedelta(seconds=31), tick=False) as clock:
        refresh(pair["refresh"])
        laptop = log_in(api, "Amina").json()
        clock.shift(timedelta(seconds=31))

        assert refresh(phone["refresh"]).status_code == 401

        assert refresh(laptop["refresh"]).status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_of_twelve_concurrent_exchanges_succeeds(pair):
    responses = at_once(*[lambda: refresh(pair["refresh"])] * 12)

    assert sorted(response.status_code for response in responses) == [200] + [401] * 11
    successor = next(answer for answer in responses if answer.status_code == 200).json()
    assert refresh(successor["refresh"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_unique_row_decides_even_without_the_lock(pair, monkeypatch):
    monkeypatch.setattr(tokens, "holder", lambda token, people=None: _owner(pair))

    responses = at_once(*[lambda: refresh(pair["refresh"])] * 4)

    assert sorted(response.status_code for response in responses) == [200, 401, 401, 401]


def test_a_deactivated_user_gets_nothing(pair, amina):
    type(amina).objects.update(is_active=False)

    assert code(refresh(pair["refresh"])) == (401, "user_inactive")


def test_a_deleted_user_gets_nothing(pair, amina):
    amina.delete()

    assert code(refresh(pair["refresh"])) == (401, "user_not_found")


def test_after_a_password_change_an_old_token_gets_nothing(pair, amina):
    amina.set_password("quite another secret")
    amina.save()

    assert code(refresh(pair["refresh"])) == (401, "password_changed")


def test_a_refusal_spends_nothing(pair, amina):
    type(amina).objects.update(is_active=False)
    refresh(pair["refresh"])
    type(amina).objects.update(is_active=True)

    assert refresh(pair["refresh"]).status_code == 200


def test_an_access_token_is_no_refresh_token(pair):
    assert code(refresh(pair["access"])) == (401, "token_not_valid")


def test_an_expired_token_is_refused(pair):
    with time_machine.travel(timezone.now() + timedelta(days=14, minutes=1)):
        assert code(refresh(pair["refresh"])) == (401, "token_not_valid")


def test_a_token_the_database_does_not_know_is_refused(pair):
    OutstandingToken.objects.all().delete()

    assert code(refresh(pair["refresh"])) == (401, "token_not_valid")


def test_the_database_never_holds_a_token_itself(pair):
    refresh(pair["refresh"])

    kept = list(OutstandingToken.objects.order_by("pk").values_list("token", flat=True))

    assert kept[1] == ""
    assert kept[0].startswith("exchanged for ")
    assert not any(pair["refresh"] in text or "eyJ" in text for text in kept)


@pytest.mark.parametrize(
    ("token", "status"),
    [
        ("garbage", 401),
        ("a.b.c", 401),
        ("eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoiMSJ9.", 401),
        ("ü" * 50, 401),
        ("x" * 4096, 401),
        ("x" * 4097, 400),
        ("", 400),
        (None, 400),
        (5, 401),
        (True, 400),
        ([], 400),
        ({"a": 1}, 400),
        ("a\x00b", 400),
    ],
)
@pytest.mark.parametrize(
    ("path", "field"),
    [("/token/refresh/", "refresh"), ("/logout/", "refresh"), ("/token/verify/", "token")],
)
def test_an_invalid_token_is_refused_politely(api, db, path, field, token, status):
    response = api.post(path, {field: token})

    assert response.status_code == status


@pytest.mark.parametrize("path", ["/token/refresh/", "/logout/", "/token/verify/"])
def test_a_token_is_needed(api, db, path):
    response = api.post(path, {})

    assert response.status_code == 400
    assert list(response.json().values()) == [["This field is required."]]


def test_expired_tokens_are_forgotten_in_batches(pair, monkeypatch):
    monkeypatch.setattr(tokens, "BATCH", 2)
    user = _owner(pair)
    with time_machine.travel(timezone.now() - timedelta(days=20)):
        for _ in range(5):
            old = tokens.issue(user).refresh
            BlacklistedToken.objects.create(token=OutstandingToken.objects.get(jti=old["jti"]))

    with ids_in_a_statement(2):
        assert delete_expired_tokens() == 5
    assert OutstandingToken.objects.count() == 1
    assert BlacklistedToken.objects.count() == 0
    assert delete_expired_tokens() == 0
    assert refresh(pair["refresh"]).status_code == 200


def _owner(pair):
    return User.objects.get(pk=pair["user"]["pk"])
