"""Sessions are for pages and log-ins; a request of the API does not pass them."""

import pytest
from django.conf import settings

pytestmark = pytest.mark.django_db


def test_a_request_of_the_api_has_no_session(client):
    assert not hasattr(client.get("/categories/").wsgi_request, "session")


@pytest.mark.parametrize("address", ["/admin/login/", "/login/", "/password/reset/"])
def test_pages_and_log_ins_have_a_session(client, address):
    assert hasattr(client.get(address).wsgi_request, "session")


def test_a_session_cookie_runs_the_pages_middleware_anywhere(client):
    client.cookies[settings.SESSION_COOKIE_NAME] = "0123456789abcdefghijklmnopqrstuv"

    assert hasattr(client.get("/categories/").wsgi_request, "session")


@pytest.mark.parametrize("key", ['"\\000abcdefghijk"', "a-session-of-another-shop", ""])
@pytest.mark.parametrize("address", ["/", "/admin/login/", "/shop/"])
def test_a_cookie_that_no_session_has_bars_nobody(client, address, key):
    client.cookies.load(f"{settings.SESSION_COOKIE_NAME}={key}")

    assert client.get(address).status_code == 200
