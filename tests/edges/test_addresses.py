"""Addresses: both spellings read, and none that two programs could read differently."""

import pytest
from django.http import JsonResponse
from django.test import Client, RequestFactory

from omachemainproj.ip_addresses import client_network
from omachemainproj.middleware import EdgeMiddleware

UNREADABLE = {
    "detail": "The address contains characters that cannot be read.",
    "code": "bad_address",
}


def test_a_post_without_the_last_slash_keeps_its_body(db):
    response = Client().post("/token/verify", {"token": "garbage"}, "application/json")

    assert response.status_code == 401
    assert response.json()["code"] == "token_not_valid"


def test_the_query_survives_a_missing_slash(db):
    response = Client().get("/livez?probe=1")

    assert response.status_code == 200


def test_an_unknown_address_is_a_json_404(db):
    response = Client().post("/nothing/here", {}, "application/json")

    assert response.status_code == 404
    assert response.json() == {"detail": "There is nothing at this address.", "code": "not_found"}


BAD = [
    "%00",
    "%0a",
    "%0D",
    "%1f",
    "%7f",
    "%c2%80",
    "%ff",
    "%FE",
    "%c0%80",
    "%ed%a0%80",
    "%e9",
    "%80",
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("where", ["/product/{}/", "/livez/?search={}", "/livez/?a=1&{}=2"])
def test_an_address_nobody_can_read_is_a_400(where, bad):
    response = Client().get(where.format(bad))

    assert response.status_code == 400
    assert response.json() == UNREADABLE


@pytest.mark.parametrize("query", ["a\x00b", "a\tb", "a\x7fb", "\xff", "a\xe9"])
def test_raw_bytes_nobody_can_read_are_a_400(query):
    response = Client().get("/livez/", QUERY_STRING=query)

    assert response.json() == UNREADABLE


@pytest.mark.parametrize(
    "good",
    [
        "%C5%A9",
        "%F0%9F%99%82",
        "100%",
        "%zz",
        "%25",
        "%2500",
        "%2e%2e",
        "a+b%20c",
        "%E2%80%8D",
        "'",
    ],
)
def test_a_readable_address_passes(good):
    assert Client().get(f"/livez/?search={good}").status_code == 200


def test_utf_8_that_was_not_encoded_is_let_through():
    response = Client().get("/livez/", QUERY_STRING="search=ũ".encode().decode("latin-1"))

    assert response.status_code == 200


def test_every_answer_names_its_request_and_no_two_alike():
    first, second = Client().get("/livez/"), Client().get("/product/%00/")

    assert len(first["X-Request-ID"]) == len(second["X-Request-ID"]) == 16
    assert first["X-Request-ID"] != second["X-Request-ID"]


def test_a_host_that_is_not_ours_is_a_400(settings):
    settings.ALLOWED_HOSTS = ["api.omache.example"]

    response = Client().get("/counties/", HTTP_HOST="evil.example")

    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez/", "/readyz", "/readyz/"])
@pytest.mark.parametrize("host", ["10.0.3.7:8000", "evil.example", "_gunicorn_", ""])
def test_a_probe_is_answered_whatever_host_it_asks_for(settings, path, host):
    settings.ALLOWED_HOSTS = [".omache.example"]
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = True

    assert Client().get(path, HTTP_HOST=host).status_code == 200


def seen_address(**meta):
    """The client's address as a view sees it."""
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", **meta)
    EdgeMiddleware(lambda request: JsonResponse({}))(request)
    return request.META["REMOTE_ADDR"]


def test_without_a_proxy_of_ours_the_header_changes_nothing(settings):
    settings.TRUSTED_PROXIES = 0

    assert seen_address(HTTP_X_FORWARDED_FOR="1.2.3.4") == "10.0.0.9"


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (1, "41.90.1.2", "41.90.1.2"),
        (1, "1.2.3.4, 41.90.1.2", "41.90.1.2"),
        (2, "1.2.3.4, 41.90.1.2, 10.0.0.5", "41.90.1.2"),
        (1, "2c0f:fe38::1", "2c0f:fe38::1"),
        (2, "41.90.1.2", "10.0.0.9"),
        (1, "41.90.1.2, nonsense", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "41.90.1.2:51234", "41.90.1.2"),
        (1, "[2C0F:FE38:0::1]:443", "2c0f:fe38::1"),
        (1, "::ffff:41.90.1.2", "41.90.1.2"),
        (2, "::FFFF:295A:0102 ,10.0.0.5", "41.90.1.2"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "041.90.1.2", "10.0.0.9"),
    ],
)
def test_behind_proxies_of_ours_the_hop_they_saw_counts(settings, proxies, header, address):
    settings.TRUSTED_PROXIES = proxies

    assert seen_address(HTTP_X_FORWARDED_FOR=header) == address


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("::ffff:41.90.1.2", "41.90.1.2"),
        ("2C0F:FE38:0:0::1", "2c0f:fe38::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_a_peer_has_one_spelling_whatever_the_server_calls_it(peer, address):
    request = RequestFactory().get("/", REMOTE_ADDR=peer)
    EdgeMiddleware(lambda request: JsonResponse({}))(request)

    assert request.META["REMOTE_ADDR"] == address


@pytest.fixture
def https(settings):
    settings.HTTPS = True
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["*"]
    return settings


def test_plain_http_is_refused_where_https_is_on(https):
    response = Client().post("/login/", {"password": "in the clear"}, "application/json")

    assert response.status_code == 400
    assert response.json() == {"detail": "Use https.", "code": "https_required"}


def test_https_is_let_through(https):
    assert Client().get("/livez/", secure=True).status_code == 200


def test_a_page_is_sent_to_https(https):
    response = Client().get("/admin/")

    assert response.status_code == 301
    assert response["Location"] == "https://testserver/admin/"


@pytest.mark.parametrize("path", ["/caf%C3%A9/", "/%C5%A9/", "/100%/", "/%F0%9F%99%82/"])
def test_an_unknown_address_that_can_be_read_is_a_404(path):
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("41.90.1.2", "41.90.1.2"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:41.90.1.2", "41.90.1.2"),
        ("64:ff9b::295a:102", "41.90.1.2"),
        ("2002:295a:102::9", "41.90.1.2"),
        ("2001:0:53aa:64c::d6a5:fefd", "41.90.1.2"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_a_client_is_as_large_as_the_network_it_may_hold(address, network):
    assert client_network(address) == network


@pytest.mark.parametrize("action", ["confirmation", "validation"])
def test_an_address_longer_than_any_of_ours_is_no_webhook(client, action):
    assert client.post(f"/safwebhook/c2b/{'a' * 65}/{action}/").status_code == 404
