"""What every answer says to a browser, and what the docs page may do more."""

import pytest
from django.test import RequestFactory

from omachemainproj.wsgi_handler import Utf8Handler

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/", "/product/kitchen/", "/nowhere/", "/admin/login/", "/livez/"]
)
def test_every_answer_forbids_what_is_not_ours(client, path):
    response = client.get(path)

    assert response["Content-Security-Policy"] == (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    )
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert len(response["X-Request-ID"]) == 16


def test_the_docs_page_may_style_itself_but_runs_only_our_scripts(client):
    policy = client.get("/docs/")["Content-Security-Policy"]

    assert policy.startswith("default-src 'self';")
    assert policy.endswith("; style-src 'self' 'unsafe-inline'; img-src 'self' data:")
    assert "script-src" not in policy


def test_a_load_balancer_may_ask_over_plain_http(client, settings):
    settings.HTTPS = True
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/livez/").json() == {"status": "alive"}
    assert client.get("/readyz/", REMOTE_ADDR="10.0.0.9").json() == {"status": "ready"}
    assert client.get("/product/kitchen/").json()["code"] == "https_required"


@pytest.mark.parametrize("path", ["/livez/", "/nothing/here/", "/safwebhook/"])
def test_a_response_to_head_has_the_head_of_get_and_no_body(path):
    """The server would drop a body, and log a warning for each such request."""
    heads, bodies = [], []
    for method in ("GET", "HEAD"):
        asked = RequestFactory().generic(method, path).environ
        response = Utf8Handler()(asked, lambda status, headers: heads.append((status, headers)))
        bodies.append(b"".join(response))
        response.close()

    lengths = [dict(headers)["Content-Length"] for _, headers in heads]
    assert heads[0][0] == heads[1][0]
    assert lengths == [str(len(bodies[0]))] * 2
    assert (len(bodies[0]) > 0, bodies[1]) == (True, b"")
