"""A refresh repeated: tabs at once, lost answers, and the key that gives one again."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts import tokens
from tests.threads import at_once

from .browser_client import KEY, code, later, move, renew, same_jar
from .conftest import bearer, refresh

pytestmark = pytest.mark.django_db


def test_a_refresh_whose_answer_was_lost_can_be_repeated_with_the_same_key(api, pair):
    move(APIClient(), pair, **{"Idempotency-Key": KEY})

    assert move(api, pair, **{"Idempotency-Key": KEY}).status_code == 200
    assert renew(api).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_eight_tabs_at_once_get_one_successor_and_stay_signed_in(browser):
    tabs = [same_jar(browser) for _ in range(8)]

    answers = at_once(*[lambda tab=tab: renew(tab) for tab in tabs])

    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({tab.cookies["refresh"].value for tab in tabs}) == 1
    assert OutstandingToken.objects.count() == 2
    with later(minutes=4):
        assert renew(tabs[7]).status_code == 200


def test_the_successor_given_again_is_the_same_letter_for_letter(browser):
    tab = same_jar(browser)
    first = renew(browser)

    second = renew(tab)

    assert second["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert tab.cookies["refresh"].value == browser.cookies["refresh"].value


def test_a_slow_tab_is_given_the_newest_of_two_successors(browser):
    tab, start = same_jar(browser), timezone.now()
    renew(browser)
    with time_machine.travel(start + timedelta(seconds=9)):
        OutstandingToken.objects.update(created_at=start - timedelta(minutes=1))
        renew(browser)

        assert renew(tab).status_code == 200

        newest = tokens.RefreshToken(browser.cookies["refresh"].value)
        assert tokens.RefreshToken(tab.cookies["refresh"].value)["jti"] == newest["jti"]


def test_a_tab_that_comes_in_the_next_moment_does_not_rotate_again(browser):
    renew(browser)
    tab = same_jar(browser)

    assert renew(tab).status_code == 200

    assert tab.cookies["refresh"].value == browser.cookies["refresh"].value


def test_after_ten_seconds_a_tabs_spent_token_is_spent(browser):
    tab = same_jar(browser)
    renew(browser)

    with later(seconds=11):
        assert code(renew(tab)) == (401, "token_spent")
        assert renew(browser).status_code == 200


def test_half_a_minute_later_it_is_a_theft_as_ever(browser):
    thief = same_jar(browser)
    renew(browser)

    with later(seconds=31):
        assert code(renew(thief)) == (401, "token_spent")
        assert code(renew(browser)) == (401, "session_ended")


@pytest.mark.parametrize("how_long", [{"seconds": 1}, {"minutes": 2}, {"hours": 23}])
def test_a_lost_answer_is_given_again_for_its_key(browser, how_long):
    tab = same_jar(browser)
    renew(browser, **{"Idempotency-Key": KEY})

    with later(**how_long):
        again = renew(tab, **{"Idempotency-Key": KEY})

    assert (again.status_code, again["Idempotent-Replayed"]) == (200, "true")
    assert tab.cookies["refresh"].value == browser.cookies["refresh"].value


def test_a_client_without_cookies_gets_a_lost_answer_by_its_key_too(api, pair):
    headers = {"Idempotency-Key": KEY}
    first = api.post("/token/refresh/", pair, headers=headers)

    again = api.post("/token/refresh/", pair, headers=headers)

    assert again.status_code == 200
    assert again.json()["refresh"] == first.json()["refresh"]
    assert bearer(again.json()["access"]).get("/user/").status_code == 200


def test_another_key_gets_nothing(api, pair):
    api.post("/token/refresh/", pair, headers={"Idempotency-Key": KEY})

    again = api.post("/token/refresh/", pair, headers={"Idempotency-Key": KEY + "x"})

    assert code(again) == (401, "token_spent")


def test_a_key_is_over_once_its_successor_was_used(api, pair):
    headers = {"Idempotency-Key": KEY}
    first = api.post("/token/refresh/", pair, headers=headers).json()
    refresh(first["refresh"])

    assert code(api.post("/token/refresh/", pair, headers=headers)) == (401, "token_spent")


def test_a_key_is_over_after_a_day(api, pair):
    headers = {"Idempotency-Key": KEY}
    api.post("/token/refresh/", pair, headers=headers)

    with later(hours=25):
        assert code(api.post("/token/refresh/", pair, headers=headers)) == (401, "token_spent")


def test_a_key_that_can_be_guessed_counts_for_seconds(api, pair):
    headers = {"Idempotency-Key": "1"}
    api.post("/token/refresh/", pair, headers=headers)

    assert api.post("/token/refresh/", pair, headers=headers).status_code == 200
    with later(seconds=11):
        assert code(api.post("/token/refresh/", pair, headers=headers)) == (401, "token_spent")


def test_a_key_opens_nothing_in_a_session_that_was_ended(api, pair, amina):
    headers = {"Idempotency-Key": KEY}
    api.post("/token/refresh/", pair, headers=headers)
    tokens.revoke_all(amina.pk)

    assert code(api.post("/token/refresh/", pair, headers=headers)) == (401, "session_ended")


def test_a_key_of_no_form_is_refused(api, pair):
    answer = api.post("/token/refresh/", pair, headers={"Idempotency-Key": "x" * 256})

    assert answer.status_code == 400
    assert refresh(pair["refresh"]).status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_of_twelve_clients_with_different_keys_succeeds(pair):
    def ask(number):
        return APIClient().post(
            "/token/refresh/", pair, headers={"Idempotency-Key": f"{KEY}{number}"}
        )

    answers = at_once(*[lambda n=n: ask(n) for n in range(12)])

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 11


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_stolen_cookie_works_only_in_its_own_browser_of_twelve(browser):
    def ask(number):
        other = same_jar(browser)
        if number:
            other.cookies["client"] = f"{'A' * 20}{number:02}"
        return renew(other)

    answers = at_once(*[lambda n=n: ask(n) for n in range(12)])

    assert [answer.status_code for answer in answers] == [200] + [401] * 11


def test_the_database_knows_neither_key_nor_cookie(browser):
    renew(browser, **{"Idempotency-Key": KEY})

    kept = " ".join(OutstandingToken.objects.values_list("token", flat=True))

    assert KEY not in kept
    assert browser.cookies["client"].value not in kept
    assert "eyJ" not in kept
