"""Signing in by a browser: the refresh token in a cookie, tabs at once, lost answers, attacks."""

from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts import tokens
from accounts.models import Session, User
from tests.conftest import signed_in
from tests.factories import PASSWORD, UserFactory
from tests.threads import at_once

from .conftest import bearer, log_in, refresh

pytestmark = pytest.mark.django_db

COOKIE = {"Token-Transport": "cookie"}
KEY = "3fQ9c0pZr1Vw7sXy"


def later(**span):
    return time_machine.travel(timezone.now() + timedelta(**span), tick=False)


def code(response):
    return response.status_code, response.json().get("code")


def sign_in(browser, name="Amina"):
    body = {"username": name, "password": PASSWORD}
    return browser.post("/login/", body, headers=COOKIE)


def renew(browser, **headers):
    return browser.post("/token/refresh/", headers={**COOKIE, **headers})


def same_jar(browser):
    """Another tab: the same cookies now, but no more what the first is given."""
    tab = APIClient()
    tab.cookies = SimpleCookie(browser.cookies.output(header="", sep=";"))
    return tab


@pytest.fixture
def browser(amina):
    """A browser in which Amina signed in a while ago."""
    browser = APIClient()
    with later(minutes=-4):
        assert sign_in(browser).status_code == 200
    return browser


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


def move(browser, pair, **headers):
    body = {"refresh": pair["refresh"]}
    return browser.post("/token/refresh/", body, headers={**COOKIE, **headers})


def test_a_token_that_a_page_kept_moves_into_the_cookie_once(api, pair):
    answer = move(api, pair)

    assert (answer.status_code, answer.json()["refresh"]) == (200, "")
    assert code(refresh(pair["refresh"])) == (401, "token_spent")
    assert code(refresh(api.cookies["refresh"].value)) == (401, "token_not_valid")
    assert renew(api).status_code == 200


def test_a_refresh_whose_answer_was_lost_can_be_repeated_with_the_same_key(api, pair):
    move(APIClient(), pair, **{"Idempotency-Key": KEY})

    assert move(api, pair, **{"Idempotency-Key": KEY}).status_code == 200
    assert renew(api).status_code == 200


def test_a_stolen_cookie_does_not_move_into_another_browser(browser):
    stolen = {"refresh": browser.cookies["refresh"].value}

    assert code(move(APIClient(), stolen)) == (401, "token_not_valid")
    assert renew(browser).status_code == 200


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


def test_a_refresh_cookie_is_of_no_use_in_another_browser_or_in_the_body(browser, caplog):
    stolen = browser.cookies["refresh"].value
    thief = APIClient()
    thief.cookies["refresh"] = stolen
    thief.cookies["client"] = "A" * 22

    assert code(renew(thief)) == (401, "token_not_valid")
    assert code(refresh(stolen)) == (401, "token_not_valid")
    assert caplog.text.count("token_elsewhere") == 2
    assert renew(browser).status_code == 200


def test_a_cookie_that_a_neighbouring_subdomain_tossed_in_signs_nobody_in(browser, api, buyer):
    """It sets ``refresh`` for the whole domain, but not ``__Host-client``."""
    attackers = APIClient()
    sign_in(attackers, buyer.username)
    for tossed in (
        attackers.cookies["refresh"].value,
        log_in(api, buyer.username).json()["refresh"],
    ):
        victim = same_jar(browser)
        victim.cookies["refresh"] = tossed

        assert code(renew(victim)) == (401, "token_not_valid")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.testserver", "https://testserver", "null", ""]
)
@pytest.mark.parametrize("path", ["/login/", "/registration/", "/token/refresh/", "/token/logout/"])
def test_a_page_of_another_origin_can_use_no_cookie(browser, origin, path):
    answer = browser.post(path, {}, headers={**COOKIE, "Origin": origin})

    assert code(answer) == (403, "other_origin")
    assert not answer.cookies
    assert Session.objects.filter(ended_at=None).count() == 1


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_a_browser_that_names_another_site_is_refused_without_an_origin_too(browser, site):
    answer = browser.post("/token/refresh/", headers={**COOKIE, "Sec-Fetch-Site": site})

    assert code(answer) == (403, "other_origin")


@pytest.mark.parametrize("origin", ["http://testserver", "https://omache.example"])
def test_the_shops_own_pages_may(browser, settings, origin):
    settings.FRONTEND_URL = "https://omache.example/shop"
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}

    assert renew(browser, **headers).status_code == 200


def test_an_origin_that_the_settings_trust_may(browser, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.omache.example"]

    assert renew(browser, Origin="https://m.omache.example").status_code == 200
    assert renew(browser, Origin="http://m.omache.example").status_code == 403
    assert renew(browser, Origin="https://omache.example.evil").status_code == 403


@pytest.mark.parametrize("path", ["/token/refresh/", "/token/logout/"])
def test_a_form_of_another_page_uses_no_cookie(browser, path):
    """A form sends cookies where SameSite does not stop it, but no header of ours."""
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data"):
        answer = browser.post(path, "refresh=x", content_type=kind)
        assert answer.status_code in {400, 415}
    assert browser.post(path).status_code == 400
    assert renew(browser).status_code == 200


def test_another_origin_is_not_allowed_to_send_cookies(db):
    answer = APIClient().options(
        "/token/refresh/",
        headers={
            "Origin": "http://localhost:5173",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "token-transport",
        },
    )

    assert "Access-Control-Allow-Credentials" not in answer


def test_a_browsers_name_that_somebody_else_chose_is_not_taken(amina):
    """Session fixation: what is not of our form is replaced at log-in."""
    browser = APIClient()
    browser.cookies["client"] = "chosen; by=a stranger"

    sign_in(browser)

    assert len(browser.cookies["client"].value) == 22


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
