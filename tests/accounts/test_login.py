"""Signing in: by either name, and no hint to a stranger."""

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from accounts.backends import UsernameOrEmailBackend
from accounts.models import User
from tests.factories import PASSWORD, UserFactory

from .conftest import log_in

pytestmark = pytest.mark.django_db

NO_HINT = {"non_field_errors": ["Unable to log in with provided credentials."]}


@pytest.mark.parametrize("field", ["username", "email"])
@pytest.mark.parametrize("name", ["Amina", "amina", "Amina@Example.com", "amina@EXAMPLE.com"])
def test_either_name_in_either_field_in_any_case_signs_in(api, amina, field, name):
    response = api.post("/login/", {field: name, "password": PASSWORD})

    assert response.status_code == 200
    assert set(response.json()) == {"access", "refresh", "user"}
    assert response.json()["user"]["pk"] == amina.pk


def test_an_empty_email_beside_the_username_is_no_hindrance(api, amina):
    response = api.post("/login/", {"username": "Amina", "email": "", "password": PASSWORD})

    assert response.status_code == 200


def test_the_access_token_opens_the_api(api, amina):
    access = log_in(api, "Amina").json()["access"]

    response = api.get("/user/", HTTP_AUTHORIZATION=f"Bearer {access}")

    assert response.json()["username"] == "Amina"


def test_a_stranger_a_wrong_password_and_a_closed_account_are_answered_alike(api, amina):
    UserFactory(username="closed", is_active=False)

    answers = [
        log_in(api, "nobody"),
        log_in(api, "nobody@example.com"),
        log_in(api, "Amina", "not the password"),
        log_in(api, "closed"),
    ]

    assert [answer.status_code for answer in answers] == [400] * 4
    assert [answer.json() for answer in answers] == [NO_HINT] * 4


@pytest.mark.parametrize("name", ["nobody", "nobody@example.com", "Amina", "closed"])
def test_every_failure_hashes_once(api, amina, monkeypatch, name):
    UserFactory(username="closed", is_active=False)
    hashed = []
    encode = MD5PasswordHasher.encode

    def counted(self, password, salt):
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)

    log_in(api, name, "not the password")

    assert hashed == ["not the password"]


@pytest.mark.parametrize("name", ["nobody", "Amina"])
def test_a_stranger_costs_as_many_queries_as_a_wrong_password(
    api, amina, name, django_assert_num_queries
):
    # the person
    with django_assert_num_queries(1):
        log_in(api, name, "not the password")


def test_a_username_never_matches_somebodys_email(api, amina):
    User.objects.filter(pk=amina.pk).update(email="")
    # An old row, from before usernames were checked.
    UserFactory(username="amina@example.com", password="another long secret")

    response = log_in(api, "amina@example.com", "another long secret")

    assert response.json() == NO_HINT


def test_spaces_around_a_password_count(api, amina):
    response = log_in(api, "Amina", f" {PASSWORD} ")

    assert response.json() == NO_HINT


def test_a_stale_token_sent_along_bars_nobody(api, amina):
    api.credentials(HTTP_AUTHORIZATION="Bearer stale")

    response = log_in(api, "Amina")

    assert response.status_code == 200


def test_a_name_is_needed(api, db):
    response = api.post("/login/", {"password": PASSWORD})

    assert response.status_code == 400
    assert response.json() == {"username": ["Give a username or an e-mail."]}


def test_a_password_is_needed(api, db):
    response = api.post("/login/", {"username": "Amina"})

    assert response.json() == {"password": ["This field is required."]}


def test_a_password_over_128_characters_is_refused_unhashed(api, amina, monkeypatch):
    monkeypatch.setattr(UsernameOrEmailBackend, "authenticate", lambda *a, **k: 1 / 0)

    response = log_in(api, "Amina", "x" * 129)

    assert list(response.json()) == ["password"]


def test_signing_in_is_written_down(api, amina):
    log_in(api, "Amina")

    amina.refresh_from_db()
    assert amina.last_login is not None


def test_signing_in_sets_no_cookie_and_no_cache_keeps_the_tokens(api, amina):
    response = log_in(api, "Amina")

    assert not response.cookies
    assert response["Cache-Control"] == "no-store"


def test_getting_is_not_how_one_signs_in(api, db):
    response = api.get("/login/")

    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"
