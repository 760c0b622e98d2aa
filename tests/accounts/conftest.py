"""A person with an e-mail and an avatar's worth of fixtures."""

import pytest
from rest_framework.test import APIClient

from tests.conftest import signed_in
from tests.factories import PASSWORD, UserFactory

from .browser_client import later, sign_in


@pytest.fixture
def amina(db):
    return UserFactory(username="Amina", email="Amina@Example.com")


@pytest.fixture
def amina_api(amina):
    return signed_in(amina)


@pytest.fixture
def pair(api, amina):
    """The tokens of a fresh log-in of Amina's."""
    return log_in(api, "Amina").json()


@pytest.fixture
def browser(amina):
    """A browser in which Amina signed in a while ago."""
    browser = APIClient()
    with later(minutes=-4):
        assert sign_in(browser).status_code == 200
    return browser


@pytest.fixture
def media(settings, tmp_path):
    """An empty place for files, and a function that lists what is in it."""
    settings.MEDIA_ROOT = tmp_path

    def files():
        return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())

    return files


def log_in(api, name, password=PASSWORD):
    return api.post("/login/", {"username": name, "password": password})


def refresh(token):
    return APIClient().post("/token/refresh/", {"refresh": token})


def bearer(access):
    """A client that carries this very token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client
