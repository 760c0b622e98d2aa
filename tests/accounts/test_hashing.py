"""How passwords are kept in a real shop: by Argon2, and upgraded to it."""

import pytest
from django.contrib.auth.hashers import make_password

from accounts.models import User
from omachemainproj import settings as real
from tests.factories import PASSWORD, UserFactory

from .conftest import log_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_in_production(settings):
    settings.PASSWORD_HASHERS = real.PASSWORD_HASHERS


def test_a_newcomers_password_is_kept_by_argon2(api):
    api.post("/registration/", {"username": "amina", "password1": PASSWORD, "password2": PASSWORD})

    kept = User.objects.get().password
    assert kept.startswith("argon2$argon2id$")
    assert PASSWORD not in kept


def test_a_password_kept_otherwise_is_upgraded_when_it_is_used(api):
    user = UserFactory(username="amina")
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))

    response = log_in(api, "amina")

    access = response.json()["access"]
    assert User.objects.get().password.startswith("argon2$")
    assert api.get("/user/", HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 200
