"""Rate limits: exact, per person or address, and closed to guessing where the cache is down."""

import time

import pytest
import time_machine
from django.core.cache import cache
from django.urls import get_resolver
from rest_framework.test import APIClient

from accounts import views
from omachemainproj.api import throttles
from omachemainproj.api.throttles import ScopedThrottle
from tests.conftest import signed_in
from tests.factories import UserFactory
from tests.threads import in_a_crowd

pytestmark = pytest.mark.django_db

#: Log-ins a minute from one address (REST_FRAMEWORK in the settings).
LIMIT = 60


@pytest.fixture(autouse=True)
def _limits(monkeypatch):
    """Limits on, as in production, in a minute that does not end during the test."""
    for view in (views.SignInView, views.AccountView, views.UserView):
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
    monkeypatch.setattr(views.UserView, "throttle_scope", None)
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
def test_of_a_crowd_exactly_the_limit_passes(monkeypatch):
    monkeypatch.setattr(throttles, "cache", SlowCache())

    answers = in_a_crowd([log_in] * (LIMIT + 20), at_a_time=12)

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
    r"^safwebhook/(?P<token>[^/]{1,64})/$",
    "safwebhook/c2b/<str:token>/confirmation/",
    # Only at a secret address; nothing is written.
    "safwebhook/c2b/<str:token>/validation/",
    # With the bank's name and password.
    "safwebhook/bank/<slug:bank>/",
    # A file, which the proxy serves.
    r"^media/(?P<path>[a-z]+/[A-Za-z0-9_.-]+)$",
    # A page: one query at most, of what the API's home, lists and products ask too.
    r"^shop/(?P<path>.*)$",
    # For search engines: none or one query, and kept for an hour.
    "robots.txt/",
    "shop/sitemap.xml/",
    r"^shop/sitemap-(?P<part>[0-9]{1,15})\.xml/$",
    # A load balancer's: at most one query that reads no table.
    "livez/",
    "readyz/",
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
