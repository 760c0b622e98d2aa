"""Attacks on a browser's refresh cookie: theft, tossed cookies, other origins, fixation."""

import pytest
from rest_framework.test import APIClient

from accounts.models import Session

from .browser_client import COOKIE, code, move, renew, same_jar, sign_in
from .conftest import log_in, refresh

pytestmark = pytest.mark.django_db


def test_a_stolen_cookie_does_not_move_into_another_browser(browser):
    stolen = {"refresh": browser.cookies["refresh"].value}

    assert code(move(APIClient(), stolen)) == (401, "token_not_valid")
    assert renew(browser).status_code == 200


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
