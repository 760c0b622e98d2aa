"""A token that opens nothing: on public pages its bearer is a stranger, elsewhere 401."""

from datetime import timedelta
from functools import cache

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.tokens import issue, revoke_all
from tests.factories import UserFactory
from tests.payments.fakes import FakeDaraja

from .actors import World
from .bodies import BODIES
from .matrix_requests import rolled_back, send
from .table import TABLE

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

#: The admin takes cookies, and no tokens.
ROUTES = [route for route in TABLE if " " not in route and not route.startswith("admin/")]
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


def _expired(user):
    token = AccessToken.for_user(user)
    token.set_exp(from_time=timezone.now() - timedelta(days=2))
    return token


def _of_nobody(user):
    token = AccessToken.for_user(user)
    token["user_id"] = "9" * 18
    return token


def _deactivated(user):
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)
    return AccessToken.for_user(user)


def _of_an_old_password(user):
    token = issue(user).access
    user.set_password("another password")
    user.save()
    return token


def _ended_refresh(user):
    token = issue(user).refresh
    revoke_all(user.pk)
    return token


def _of_a_deleted_user(user):
    token = AccessToken.for_user(user)
    user.delete()
    return token


BAD = {
    "undefined": lambda user: "undefined",
    "null": lambda user: "null",
    "nothing": lambda user: "",
    "two words": lambda user: "a b",
    "not ASCII": lambda user: "\xff\xfe",
    "long": lambda user: "a" * 7000,
    "dots": lambda user: "..",
    "no signature": lambda user: str(AccessToken.for_user(user)).rpartition(".")[0] + ".",
    "forged": lambda user: str(AccessToken.for_user(user))[:-4] + "AAAA",
    "expired": _expired,
    "a refresh token": RefreshToken.for_user,
    "an ended refresh token": _ended_refresh,
    "of nobody": _of_nobody,
    "of somebody deactivated": _deactivated,
    "of somebody deleted": _of_a_deleted_user,
    "of an old password": _of_an_old_password,
}


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Rows made once; every request is rolled back to them."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, rolled_back():
        patch.setattr("payments.gateway.daraja", FakeDaraja)
        yield World()


@pytest.fixture(scope="module")
def strangers_letter(world):
    """What a stranger gets: asked once for each method and route."""

    @cache
    def letter(method, route):
        return _letter(world, world.clients["anonymous"], method, route)

    return letter


def _letter(world, who, method, route):
    address = "/" + route.format_map(world.values(route))
    return send(who, method, address, BODIES.get(route)).letter


@pytest.mark.parametrize(
    ("bad", "methods"),
    [
        ("undefined", METHODS),
        *((bad, ("GET",)) for bad in BAD),
        *(pytest.param(bad, METHODS, marks=pytest.mark.slow) for bad in BAD),
    ],
)
def test_a_bad_token_gets_the_same_answers_as_no_token(world, strangers_letter, bad, methods):
    """Public pages answer, private ones say 401, all others what they always say."""
    token = BAD[bad](UserFactory())
    bearer = Client(HTTP_AUTHORIZATION=f"Bearer {token}", raise_request_exception=False)
    asked = [(method, route) for route in ROUTES for method in methods]

    got = {each: _letter(world, bearer, *each) for each in asked}

    assert got == {each: strangers_letter(*each) for each in asked}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Token", "Basic", "JWT", ""])
def test_a_product_is_shown_whatever_the_header_says(world, scheme):
    client = Client(HTTP_AUTHORIZATION=f"{scheme} undefined")

    answer = client.get(f"/product/{world.product.pk}/")

    assert answer.status_code == 200
    assert answer.json()["id"] == world.product.pk
    assert "payment_mpesa_number" not in answer.json()


@pytest.mark.parametrize("cookie", ["undefined", "", "a b", "\xff", "a" * 5000])
@pytest.mark.parametrize("path", ["/", "/product/kitchen/", "/schema/", "/admin/login/"])
def test_a_stale_cookie_bars_nobody(world, path, cookie):
    stale = f"sessionid={cookie}; csrftoken={cookie}; messages={cookie}"

    assert Client(HTTP_COOKIE=stale).get(path).status_code == 200


def test_a_seller_still_sees_where_they_are_paid(world):
    answer = world.clients["seller"].get(f"/product/{world.product.pk}/")

    assert answer.json()["payment_mpesa_number"] == world.product.payment_mpesa_number


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda user: "undefined", "token_not_valid"),
        (_expired, "token_not_valid"),
        (_deactivated, "user_inactive"),
        (_of_a_deleted_user, "user_not_found"),
        (_of_an_old_password, "password_changed"),
    ],
)
@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_private_method_of_a_public_page_still_says_why(world, method, make, code):
    client = Client(HTTP_AUTHORIZATION=f"Bearer {make(UserFactory())}")

    answer = getattr(client, method)(f"/product/{world.product.pk}/", {}, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_a_flood_of_bad_tokens_is_counted_as_its_address(world, settings, monkeypatch):
    """A stranger with a header is limited as one without it."""
    from omachemainproj.api import throttles

    asked, counted = [], throttles._counted
    monkeypatch.setattr(
        throttles,
        "_counted",
        lambda request, scope: asked.append(counted(request, scope)) or asked[-1],
    )
    monkeypatch.setattr("rest_framework.views.APIView.throttle_classes", [throttles.ScopedThrottle])
    Client(HTTP_AUTHORIZATION="Bearer undefined").get(f"/product/{world.product.pk}/")

    assert asked == [[("address:127.0.0.1", throttles.ADDRESS_ROOM)]]
