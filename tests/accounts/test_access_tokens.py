"""A token's signature is checked once, and all else of it each time."""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken

from omachemainproj.api import access_tokens
from omachemainproj.api.access_tokens import read_access_token
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def raw():
    access_tokens._verified.cache_clear()
    return str(AccessToken.for_user(UserFactory())).encode()


def test_a_token_that_was_read_is_not_verified_again(raw, monkeypatch):
    first = read_access_token(raw)
    monkeypatch.setattr(access_tokens, "AccessToken", _Unread)

    assert read_access_token(raw).payload == first.payload


class _Unread(AccessToken):
    def __init__(self, *given):
        raise AssertionError("its signature was checked again")


def test_a_token_that_was_read_ends_all_the_same(raw, monkeypatch):
    read_access_token(raw)
    later = datetime.now(UTC) + timedelta(minutes=6)
    monkeypatch.setattr(access_tokens, "datetime", _Clock(later))
    monkeypatch.setattr("jwt.api_jwt.datetime", _Clock(later))

    with pytest.raises(ExpiredTokenError):
        read_access_token(raw)


class _Clock:
    def __init__(self, now):
        self._now = now

    def now(self, tz=None):
        return self._now


def test_each_reader_gets_its_own_copy_of_a_token(raw):
    read_access_token(raw)["user_id"] = "1000000"

    assert read_access_token(raw)["user_id"] != "1000000"


def test_an_invalid_token_is_refused_each_time(raw):
    for _ in range(2):
        with pytest.raises(TokenError):
            read_access_token(raw[:-2])
