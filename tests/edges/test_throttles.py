"""Rate limits: exact, per person or address, and closed to guessing where the cache is down."""

import base64
import time

import pytest
import time_machine
from django.core.cache import cache
from django.urls import get_resolver
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from accounts import profile_views, views
from omachemainproj.api import throttles
from omachemainproj.api.throttles import ScopedThrottle
from products.reviews.views import ProductReviewsView
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.threads import many_at_once

pytestmark = pytest.mark.django_db

#: Log-ins a minute from one address (REST_FRAMEWORK in the settings).
LIMIT = 60


@pytest.fixture(autouse=True)
def _limits(monkeypatch):
    """Limits on, as in production, in a minute that does not end during the test."""
    for view in (views.SignInView, profile_views.AccountView, profile_views.UserView):
        monkeypatch.setattr(view, "throttle_classes", [ScopedThrottle])
    with time_machine.travel("2030-01-01T00:00:12Z", tick=False):
        yield


def log_in(**extra):
    return APIClient().post("/login/", {"username": "nobody", "password": "wrong"}, **extra)


def test_the_sixtieth_log_in_of_a_minute_passes_and_the_next_does_not():
    statuses = [log_in().status_code for _ in range(LIMIT + 1)]

    assert statuses == [400] * LIMIT + [429]


def test_a_refusal_says_when_to_come_back():
    for _ in range(LIMIT):
        log_in()

    response = log_in()

    assert response["Retry-After"] == "48"
    assert response.json() == {
        "detail": "Request was throttled. Expected available in 48 seconds.",
        "code": "throttled",
    }


def test_the_next_minute_starts_anew():
    for _ in range(LIMIT + 1):
        log_in()

    with time_machine.travel("2030-01-01T00:01:00Z", tick=False):
        assert log_in().status_code == 400


def test_each_address_has_its_own_limit():
    for _ in range(LIMIT + 1):
        log_in()

    assert log_in(REMOTE_ADDR="41.90.1.2").status_code == 400


def test_a_forged_header_buys_no_more_tries():
    statuses = [
        log_in(HTTP_X_FORWARDED_FOR=f"41.90.1.{number}").status_code for number in range(LIMIT + 1)
    ]

    assert statuses[-1] == 429


def test_behind_a_proxy_the_clients_are_told_apart(settings):
    settings.TRUSTED_PROXIES = 1
    for _ in range(LIMIT + 1):
        log_in(HTTP_X_FORWARDED_FOR="41.90.1.2")

    assert log_in(HTTP_X_FORWARDED_FOR="41.90.1.2").status_code == 429
    assert log_in(HTTP_X_FORWARDED_FOR="41.90.1.3").status_code == 400


def test_people_are_counted_by_themselves_not_by_their_address(monkeypatch):
    monkeypatch.setattr(throttles, "_rate", lambda scope: (2, 60))
    first, second = signed_in(UserFactory()), signed_in(UserFactory())
    for _ in range(3):
        first.get("/account/")

    assert first.get("/account/").status_code == 429
    assert second.get("/account/").status_code == 200


def test_a_view_without_a_scope_has_no_limit(monkeypatch):
    monkeypatch.setattr(profile_views.UserView, "throttle_scope", None)
    client = signed_in(UserFactory())

    assert {client.get("/user/").status_code for _ in range(70)} == {200}


class SlowCache:
    """The cache, a network away: whoever reads and then writes has company in between."""

    def __getattr__(self, name):
        def call(*args, **kwargs):
            time.sleep(0.005)
            answer = getattr(cache, name)(*args, **kwargs)
            time.sleep(0.005)
            return answer

        return call


@pytest.mark.django_db(transaction=True)
def test_exactly_the_limit_of_concurrent_requests_passes(monkeypatch):
    monkeypatch.setattr(throttles, "cache", SlowCache())

    answers = many_at_once([log_in] * (LIMIT + 20), at_a_time=12)

    assert sorted(answer.status_code for answer in answers) == [400] * LIMIT + [429] * 20


class BrokenCache:
    def add(self, *args, **kwargs):
        raise ConnectionError("the cache is down")


def test_without_a_cache_nobody_may_guess(monkeypatch):
    monkeypatch.setattr(throttles, "cache", BrokenCache())

    response = log_in()

    assert response.status_code == 503
    assert response.json()["code"] == "busy"
    assert response["Retry-After"] == "2"


def test_without_a_cache_the_shop_stays_open(monkeypatch):
    monkeypatch.setattr(throttles, "cache", BrokenCache())

    assert signed_in(UserFactory()).get("/account/").status_code == 200


def _doors(patterns, before=""):
    """The address of each route outside the admin, and its view."""
    for pattern in patterns:
        here = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _doors(pattern.url_patterns, here) if here != "admin/" else ()
        elif not here.startswith("admin/"):
            yield here, getattr(pattern.callback, "view_class", None)


#: What counts no requests, and what bounds it instead.
FREE = {
    # What is kept of it is bounded (payments/webhooks/strangers.py), and M-Pesa is never refused.
    "safwebhook/",
    r"safwebhook/^(?P<token>[^/]{1,64})/$",
    r"safwebhook/^c2b/(?P<token>[^/]{1,64})/confirmation/$",
    # Only at a secret address; nothing is written.
    r"safwebhook/^c2b/(?P<token>[^/]{1,64})/validation/$",
    # Only at a secret address; one row an SMS that somebody has sent.
    "safwebhook/sms/<str:token>/",
    # With the bank's name and password.
    "safwebhook/bank/<slug:bank>/",
    # A file, which the proxy serves.
    r"^media/(?P<path>[a-z]+/[A-Za-z0-9_.-]+)$",
    # A page: one query at most, of what the API's home, lists and products ask too.
    r"^shop/(?P<path>.*)$",
    # A file of the program's, asked for once a day by each browser.
    "shop/sw.js/",
    # For search engines: none or one query, and kept for an hour.
    "robots.txt/",
    "shop/sitemap.xml/",
    r"^shop/sitemap-(?P<part>[0-9]{1,15})\.xml/$",
    # A load balancer's: at most one query that reads no table.
    "livez/",
    "readyz/",
    # Prometheus's; anybody else costs no query.
    "metrics/",
    # An alarm's: one small table.
    "readyz/clock/",
}


def test_every_door_counts_requests_or_is_free_for_a_reason(settings):
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]

    scopes = {
        address: getattr(view, "throttle_scope", None)
        for address, view in _doors(get_resolver().url_patterns)
    }

    assert {address for address, scope in scopes.items() if scope is None} == FREE
    assert set(scopes.values()) - {None} <= set(rates)


def test_a_whole_prefix_of_ipv6_has_the_room_of_one_client():
    for n in range(LIMIT):
        log_in(REMOTE_ADDR=f"2001:db8:1:2::{n:x}")

    assert log_in(REMOTE_ADDR="2001:db8:1:2:ffff::1").status_code == 429
    assert log_in(REMOTE_ADDR="2001:db8:1:3::1").status_code == 400


@pytest.fixture
def two_a_minute(monkeypatch):
    """Two requests a minute of one client, on a page that is open to strangers."""
    monkeypatch.setattr(throttles, "_rate", lambda scope: (2, 60))
    monkeypatch.setattr(ProductReviewsView, "throttle_classes", [ScopedThrottle])
    product = ProductFactory()
    return f"/product/{product.pk}/reviews/"


def ask(path, times, client=None, **extra):
    client = client or APIClient()
    return [client.get(path, **extra).status_code for _ in range(times)]


def test_an_address_has_the_room_of_twenty_clients(two_a_minute):
    assert ask(two_a_minute, 41) == [200] * 40 + [429]


def test_a_client_that_names_itself_has_its_own_room_within(two_a_minute):
    named = {"HTTP_CLIENT_ID": "a" * 16}

    assert ask(two_a_minute, 3, **named) == [200, 200, 429]
    assert ask(two_a_minute, 2, HTTP_CLIENT_ID="b" * 16) == [200, 200]


def test_a_client_that_is_refused_takes_nothing_from_its_neighbours(two_a_minute):
    ask(two_a_minute, 100, HTTP_CLIENT_ID="a" * 16)

    assert ask(two_a_minute, 39) == [200] * 38 + [429]


def test_a_thousand_names_buy_no_more_than_the_address_has(two_a_minute):
    answers = [ask(two_a_minute, 1, HTTP_CLIENT_ID=f"{number:016}")[0] for number in range(60)]

    assert answers == [200] * 40 + [429] * 20


def test_a_name_does_not_follow_its_client_to_another_address(two_a_minute):
    named = {"HTTP_CLIENT_ID": "a" * 16}
    ask(two_a_minute, 3, **named)

    assert ask(two_a_minute, 1, REMOTE_ADDR="41.90.1.2", **named) == [200]


@pytest.mark.parametrize("name", ["short", "a" * 65, "a b c d e f g h i j", "é" * 16, ""])
def test_a_name_of_another_form_is_none(two_a_minute, name):
    assert ask(two_a_minute, 3, HTTP_CLIENT_ID=name) == [200] * 3


def test_a_browser_is_recognised_by_its_cookie(two_a_minute, settings):
    browser = APIClient()
    browser.cookies[settings.CLIENT_COOKIE_NAME] = "c" * 22

    assert ask(two_a_minute, 3, browser) == [200, 200, 429]


def test_a_client_with_a_token_is_counted_separately_on_a_public_page(two_a_minute):
    ask(two_a_minute, 41)
    wanjiku = signed_in(UserFactory())

    assert ask(two_a_minute, 3, wanjiku) == [200, 200, 429]
    assert ask(two_a_minute, 1, signed_in(UserFactory())) == [200]


def test_a_token_that_nobody_signed_is_a_strangers(two_a_minute):
    header, _, signature = str(RefreshToken.for_user(UserFactory()).access_token).split(".")
    claims = base64.urlsafe_b64encode(b'{"user_id": "7", "exp": 4102444800}').decode().strip("=")
    ask(two_a_minute, 40)

    for raw in (f"{header}.{claims}.{signature}", "garbage", "ü", ""):
        assert ask(two_a_minute, 1, HTTP_AUTHORIZATION=f"Bearer {raw}") == [429]


def test_a_refresh_token_counts_for_nobody(two_a_minute):
    ask(two_a_minute, 40)
    raw = RefreshToken.for_user(UserFactory())

    assert ask(two_a_minute, 1, HTTP_AUTHORIZATION=f"Bearer {raw}") == [429]


def test_log_in_has_the_room_of_one_client_whatever_is_sent_along():
    token = RefreshToken.for_user(UserFactory()).access_token
    for number in range(LIMIT):
        log_in(HTTP_CLIENT_ID=f"{number:016}", HTTP_AUTHORIZATION=f"Bearer {token}")

    assert log_in(HTTP_CLIENT_ID="a" * 16).status_code == 429
    assert log_in(HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 429


def test_what_a_client_that_names_nobody_costs_is_as_before(two_a_minute, monkeypatch):
    """The cache is a table in a small shop: two statements a request."""
    asked = []
    monkeypatch.setattr(throttles, "_count", lambda key, *args: asked.append(key) or 1)

    ask(two_a_minute, 1)

    assert len(asked) == 1
