"""The refresh token in a browser's cookie: requested, renewed, moved there, and ended."""

import pytest
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from tests.conftest import signed_in
from tests.factories import PASSWORD, UserFactory

from .browser_client import COOKIE, code, later, move, renew, same_jar, sign_in
from .conftest import bearer, refresh

pytestmark = pytest.mark.django_db


def test_a_browser_gets_its_refresh_token_in_a_cookie_that_no_script_reads(amina):
    answer = sign_in(APIClient())

    kept = answer.cookies["refresh"]
    assert answer.json()["refresh"] == ""
    assert tokens.RefreshToken(kept.value)["user_id"] == str(amina.pk)
    assert (kept["path"], kept["httponly"], kept["samesite"]) == ("/token/", True, "Strict")
    assert kept["domain"] == ""
    assert 14 * 86400 - 5 <= kept["max-age"] <= 14 * 86400
    assert bearer(answer.json()["access"]).get("/user/").status_code == 200


def test_in_production_only_this_very_host_can_set_the_browsers_name(amina, settings):
    settings.HTTPS = True
    settings.CLIENT_COOKIE_NAME, settings.REFRESH_COOKIE_NAME = "__Host-client", "__Secure-refresh"

    answer = APIClient().post(
        "/login/", {"username": "Amina", "password": PASSWORD}, headers=COOKIE, secure=True
    )

    name, token = answer.cookies["__Host-client"], answer.cookies["__Secure-refresh"]
    assert (name["path"], name["secure"], name["domain"]) == ("/", True, "")
    assert (name["httponly"], name["samesite"]) == (True, "Strict")
    assert token["secure"] is True


@pytest.mark.parametrize("headers", [{}, {"Token-Transport": "body"}])
def test_no_cookie_is_set_unless_requested(amina, headers):
    body = {"username": "Amina", "password": PASSWORD}

    answer = APIClient().post("/login/", body, headers=headers)

    assert answer.json()["refresh"].startswith("eyJ")
    assert not answer.cookies


def test_without_the_header_an_answer_has_what_it_had(api, pair):
    assert set(pair) == {"access", "refresh", "user"}
    assert set(refresh(pair["refresh"]).json()) == {
        "access", "refresh", "access_expiration", "refresh_expiration",
    }  # fmt: skip


def test_the_answer_states_the_tokens_lifetimes_in_seconds(amina):
    answer = (
        APIClient()
        .post(
            "/login/",
            {"username": "Amina", "password": PASSWORD},
            headers={"Token-Transport": "body"},
        )
        .json()
    )

    assert answer["access_expires_in"] in {299, 300}
    assert answer["refresh_expires_in"] in {14 * 86400 - 1, 14 * 86400}


def test_a_transport_that_there_is_not_is_refused(api, amina):
    answer = api.post("/login/", {}, headers={"Token-Transport": "pigeon"})

    assert answer.status_code == 400
    assert answer.json() == {"Token-Transport": ["Send “cookie” or “body”, or no such header."]}


def test_a_newcomer_and_who_changes_the_password_are_kept_in_the_cookie_too(db):
    browser = APIClient()
    joined = browser.post(
        "/registration/",
        {"username": "Juma", "password1": "sukuma wiki 7", "password2": "sukuma wiki 7"},
        headers=COOKIE,
    )
    assert (joined.status_code, joined.json()["refresh"]) == (201, "")
    first = browser.cookies["refresh"].value

    changed = browser.post(
        "/password/change/",
        {
            "old_password": "sukuma wiki 7",
            "new_password1": "githeri 4 chapati",
            "new_password2": "githeri 4 chapati",
        },
        headers={**COOKIE, "Authorization": f"Bearer {joined.json()['access']}"},
    )

    assert (changed.status_code, changed.json()["refresh"]) == (200, "")
    assert browser.cookies["refresh"].value != first
    assert renew(browser).status_code == 200


def test_the_cookie_renews_without_a_body(browser):
    before = browser.cookies["refresh"].value

    answer = renew(browser)

    assert (answer.status_code, answer.json()["refresh"]) == (200, "")
    assert answer.json()["access_expires_in"] == 300
    assert browser.cookies["refresh"].value != before
    assert bearer(answer.json()["access"]).get("/user/").status_code == 200


def test_a_browser_without_a_cookie_is_told_so(api, db):
    assert code(renew(api)) == (401, "no_cookie")


def test_signing_out_ends_the_session_and_takes_the_cookie_away(browser):
    tab = same_jar(browser)

    answer = browser.post("/token/logout/", headers=COOKIE)

    assert answer.status_code == 200
    assert (answer.cookies["refresh"].value, answer.cookies["refresh"]["path"]) == ("", "/token/")
    assert answer.cookies["refresh"]["max-age"] == 0
    assert code(renew(tab)) == (401, "session_ended")


def test_signing_out_twice_is_the_same_as_once(browser):
    browser.post("/token/logout/", headers=COOKIE)

    assert browser.post("/token/logout/", headers=COOKIE).status_code == 200


def test_signing_out_by_a_token_in_the_body_works_there_too(api, pair):
    assert api.post("/token/logout/", {"refresh": pair["refresh"]}).status_code == 200
    assert code(refresh(pair["refresh"])) == (401, "session_ended")


def test_a_token_that_a_page_kept_moves_into_the_cookie_once(api, pair):
    answer = move(api, pair)

    assert (answer.status_code, answer.json()["refresh"]) == (200, "")
    assert code(refresh(pair["refresh"])) == (401, "token_spent")
    assert code(refresh(api.cookies["refresh"].value)) == (401, "token_not_valid")
    assert renew(api).status_code == 200


def test_each_log_in_is_a_session_of_its_own(browser):
    before = tokens.RefreshToken(browser.cookies["refresh"].value)["sid"]

    sign_in(browser)

    assert tokens.RefreshToken(browser.cookies["refresh"].value)["sid"] != before


def test_the_cookie_opens_nothing_but_tokens(browser):
    for path in ("/user/", "/account/", "/track/order/"):
        assert browser.get(path).status_code == 401
    assert browser.post("/account/sessions/end-all/", headers=COOKIE).status_code == 401


def test_an_access_token_names_no_browser(amina):
    browser = APIClient()
    answer = sign_in(browser)

    assert "brw" not in tokens.AccessToken(answer.json()["access"]).payload


def test_renewing_costs_as_many_statements_as_it_did(pair, django_assert_num_queries):
    # savepoints, the person, the token, the session, spent, renewed, issued, named
    with django_assert_num_queries(11):
        refresh(pair["refresh"])


def test_a_refused_log_in_sets_no_cookie(amina):
    answer = APIClient().post("/login/", {"username": "Amina", "password": "wrong"}, headers=COOKIE)

    assert answer.status_code == 400
    assert not answer.cookies


def test_staffs_cookie_is_over_when_their_session_is(db):
    UserFactory(username="clerk", is_staff=True)
    browser = APIClient()
    sign_in(browser, "clerk")

    assert browser.cookies["refresh"]["max-age"] <= 30 * 60
    with later(minutes=31):
        assert renew(browser).status_code == 401


def test_signing_out_everywhere_ends_the_browsers_session(browser):
    signed_in(User.objects.get(username="Amina")).post("/account/sessions/end-all/")

    assert code(renew(browser)) == (401, "session_ended")
