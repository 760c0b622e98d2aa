"""Sessions are for pages and log-ins; a request of the API does not pass them."""

import pytest
from django.conf import settings

pytestmark = pytest.mark.django_db


def test_a_request_of_the_api_has_no_session(client):
    assert not hasattr(client.get("/categories/").wsgi_request, "session")


@pytest.mark.parametrize("address", ["/admin/login/", "/login/", "/password/reset/"])
def test_pages_and_log_ins_have_one(client, address):
    assert hasattr(client.get(address).wsgi_request, "session")


def test_who_brings_a_sessions_cookie_passes_them_anywhere(client):
    client.cookies[settings.SESSION_COOKIE_NAME] = "a-session-that-is-over"

    assert hasattr(client.get("/categories/").wsgi_request, "session")
