"""Access tokens: whom they let in, and until when."""

from datetime import timedelta

import jwt
import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.exceptions import NotAuthenticated
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts.authentication import current_user
from accounts.models import User

from .browser_client import code
from .conftest import bearer, log_in, refresh

pytestmark = pytest.mark.django_db


def test_a_request_by_token_costs_one_query(amina_api, django_assert_num_queries):
    # the person
    with django_assert_num_queries(1):
        response = amina_api.get("/user/")

    assert response.status_code == 200


def test_a_stranger_costs_no_query(api, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = api.get("/user/")

    assert code(response) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_forged_token_costs_no_query(api, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = bearer("a.b.c").get("/user/")

    assert code(response) == (401, "token_not_valid")


def test_a_deactivated_user_is_out_at_the_next_request(amina, amina_api):
    User.objects.update(is_active=False)

    assert code(amina_api.get("/user/")) == (401, "user_inactive")


def test_a_deleted_user_is_out_at_the_next_request(amina, amina_api):
    amina.delete()

    assert code(amina_api.get("/user/")) == (401, "user_not_found")


def test_a_user_with_a_new_password_is_out_at_the_next_request(amina, amina_api):
    amina.set_password("quite another secret")
    amina.save()

    assert code(amina_api.get("/user/")) == (401, "password_changed")


def test_an_access_token_ends_after_five_minutes(pair):
    # Ten seconds of leeway, for clocks that differ.
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=12)):
        assert code(bearer(pair["access"]).get("/user/")) == (401, "token_not_valid")


def test_a_refresh_token_opens_nothing(pair):
    assert code(bearer(pair["refresh"]).get("/user/")) == (401, "token_not_valid")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(pair, scheme):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {pair['access']}")

    assert client.get("/user/").status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer a b",
        "Bearer \xff\xfe",
        "Bearer " + "x" * 100_000,
        "Bearer a.b.c",
        "Basic a",
        "",
    ],
)
def test_a_header_that_makes_no_sense_lets_nobody_in(api, header):
    api.credentials(HTTP_AUTHORIZATION=header)

    response = api.get("/user/")

    assert response.status_code == 401
    assert set(response.json()) - {"reason"} == {"detail", "code"}


@pytest.mark.parametrize("claim", ["aud", "iss"])
def test_a_token_for_or_from_somebody_else_is_refused(amina, settings, claim):
    payload = AccessToken.for_user(amina).payload | {"aud": "omache", "iss": "omache"}
    key = settings.SIMPLE_JWT["SIGNING_KEY"]
    good = jwt.encode(payload, key, "HS256")
    bad = jwt.encode(payload | {claim: "elsewhere"}, key, "HS256")

    assert bearer(good).get("/user/").status_code == 200
    assert code(bearer(bad).get("/user/")) == (401, "token_not_valid")


def test_an_expired_token_is_told_from_one_that_is_none_and_where_it_is_renewed(amina):
    token = AccessToken.for_user(amina)
    token.set_exp(lifetime=-timedelta(minutes=1))

    expired = bearer(str(token)).get("/user/")
    broken = bearer("no token").get("/user/")

    assert (expired.status_code, expired.json()) == (
        401,
        {
            "detail": "This token has expired. Renew it at /token/refresh/, or sign in again.",
            "code": "token_not_valid",
            "reason": "token_expired",
            "renew": "/token/refresh/",
        },
    )
    assert broken.json() == {
        "detail": "This token is not valid or has expired.",
        "code": "token_not_valid",
        "reason": "token_invalid",
    }


def test_an_unsigned_token_is_refused(amina):
    payload = AccessToken.for_user(amina).payload | {"aud": "omache", "iss": "omache"}

    assert code(bearer(jwt.encode(payload, None, "none")).get("/user/")) == (
        401,
        "token_not_valid",
    )


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_good_token_is_verified(api, pair, kind):
    response = api.post("/token/verify/", {"token": pair[kind]})

    assert response.status_code == 200
    assert response.json() == {}


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_deactivated_users_token_is_not_verified(api, pair, kind):
    User.objects.update(is_active=False)

    assert code(api.post("/token/verify/", {"token": pair[kind]})) == (401, "user_inactive")


def test_a_refresh_token_that_was_ended_is_not_verified(api, pair):
    api.post("/logout/", {"refresh": pair["refresh"]})

    response = api.post("/token/verify/", {"token": pair["refresh"]})

    assert code(response) == (401, "token_not_valid")


def test_logging_out_ends_the_refresh_token(api, pair):
    response = api.post("/logout/", {"refresh": pair["refresh"]})

    assert response.status_code == 200
    assert response.json() == {"detail": "Successfully logged out."}
    assert api.post("/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401


def test_logging_out_twice_is_the_same_as_once(api, pair):
    api.post("/logout/", {"refresh": pair["refresh"]})

    response = api.post("/logout/", {"refresh": pair["refresh"]})

    assert response.status_code == 200


def test_logging_out_with_an_expired_token_is_no_error(api, pair):
    with time_machine.travel(timezone.now() + timedelta(days=15)):
        response = api.post("/logout/", {"refresh": pair["refresh"]})

    assert response.status_code == 200


def test_logging_out_needs_a_refresh_token(api, pair):
    response = api.post("/logout/", {"refresh": pair["access"]})

    assert code(response) == (401, "token_not_valid")


def test_logging_out_ends_one_session_only(api, pair):
    elsewhere = log_in(api, "Amina").json()
    api.post("/logout/", {"refresh": pair["refresh"]})

    assert refresh(elsewhere["refresh"]).status_code == 200


def test_a_view_that_lets_strangers_in_learns_that_nobody_asks(rf, amina):
    request = rf.get("/")
    request.user = amina
    assert current_user(request) == amina

    request.user = AnonymousUser()
    with pytest.raises(NotAuthenticated):
        current_user(request)
