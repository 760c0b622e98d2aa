"""What a page on another origin may send, and that it can read every refusal."""

import re

import pytest
from django.test import Client
from django.urls import path

from omachemainproj import urls
from omachemainproj.api import throttles
from tests.factories import ProductFactory

pytestmark = pytest.mark.django_db

SHOP = "http://localhost:5173"
#: Headers that any page may read without being told (Fetch standard).
_SAFELISTED = {
    "cache-control", "content-language", "content-length", "content-type", "expires",
    "last-modified", "pragma",
}  # fmt: skip
#: Headers that speak to the browser and not to the page.
_FOR_THE_BROWSER = re.compile(
    "access-control-|content-security-policy|cross-origin-|permissions-policy|referrer-policy|"
    "strict-transport-security|vary|x-content-type-options|x-frame-options|set-cookie"
)


@pytest.fixture
def shop():
    return Client(HTTP_ORIGIN=SHOP, raise_request_exception=False)


def preflight(client, path="/cashout/", method="POST", headers=""):
    return client.options(
        path,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD=method,
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS=headers,
    )


def names(answer, header):
    return {name.strip().lower() for name in answer[header].split(",")}


@pytest.mark.parametrize(
    "headers",
    [
        "sentry-trace, baggage",
        "traceparent, tracestate",
        "authorization, content-type, idempotency-key",
        "x-requested-with, x-csrftoken, x-request-id",
        "accept-language, content-language, cache-control, pragma, range",
        "if-none-match, if-match, if-modified-since, if-unmodified-since",
    ],
)
def test_a_preflight_names_what_browsers_and_their_libraries_send(shop, headers):
    answer = preflight(shop, headers=headers)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert {name.strip() for name in headers.split(",")} <= names(
        answer, "Access-Control-Allow-Headers"
    )
    assert len(answer["X-Request-ID"]) == 16


def test_a_header_nobody_has_thought_of_may_come_along(shop):
    """A star covers every header but Authorization, where no cookie comes along (Fetch)."""
    answer = preflight(shop, headers="x-datadog-trace-id")

    assert {"*", "authorization"} <= names(answer, "Access-Control-Allow-Headers")
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/nowhere/", "/product/%ff/", "/product/a%0Ab/", "/login"])
def test_a_preflight_is_answered_wherever_it_is_asked(shop, path, method):
    answer = preflight(shop, path, method)

    assert answer.status_code == 200
    assert method in answer["Access-Control-Allow-Methods"]


def test_another_origin_is_told_nothing():
    stranger = Client(HTTP_ORIGIN="https://evil.example")

    assert "Access-Control-Allow-Origin" not in preflight(stranger)
    assert "Access-Control-Allow-Origin" not in stranger.get("/nowhere/")


def check(answer, status):
    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert "origin" in names(answer, "Vary")
    assert {"x-request-id", "retry-after"} <= names(answer, "Access-Control-Expose-Headers")
    assert len(answer["X-Request-ID"]) == 16


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/nowhere/", 404),
        ("get", "/product/999999999/", 404),
        ("get", "/media/products/none.webp", 404),
        ("get", "/static/none.js", 404),
        ("get", "/product/%ff/", 400),
        ("get", "/product/%00/", 400),
        ("get", "/product/a%0Ab/", 400),
        ("get", "/?q=%ff", 400),
        ("post", "/cashout/", 401),
        ("get", "/account/", 401),
        ("put", "/cart/", 405),
        ("get", "/safwebhook/", 405),
        ("post", "/safwebhook/bank/equity/", 401),
    ],
)
def test_a_page_can_read_a_refusal(shop, method, path, status):
    check(getattr(shop, method)(path), status)


@pytest.mark.parametrize(
    ("path", "body", "content_type", "extra", "status"),
    [
        ("/login/", "not json", "application/json", {}, 400),
        ("/login/", "<a/>", "application/xml", {}, 415),
        ("/login/", "{}", "application/json", {"CONTENT_LENGTH": "65537"}, 413),
        ("/login/", "{}", "application/json", {"CONTENT_LENGTH": "many"}, 400),
        ("/safwebhook/", "{}", "application/json", {"CONTENT_LENGTH": "65537"}, 413),
    ],
)
def test_a_page_can_read_why_its_body_was_refused(shop, path, body, content_type, extra, status):
    check(shop.generic("POST", path, body, content_type, **extra), status)


def test_a_page_can_read_that_it_asks_too_often(shop, settings, monkeypatch):
    monkeypatch.setattr("rest_framework.views.APIView.throttle_classes", [throttles.ScopedThrottle])
    monkeypatch.setattr(throttles, "_count", lambda *counted: 1_000_000)

    answer = shop.get("/product/kitchen/")

    check(answer, 429)
    assert int(answer["Retry-After"]) > 0


def test_a_page_can_read_that_it_came_in_the_clear(shop, settings):
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = True

    check(shop.get("/product/kitchen/"), 400)
    assert preflight(shop).status_code == 200


def test_a_page_can_read_that_a_host_is_not_ours(shop, settings):
    settings.ALLOWED_HOSTS = ["api.omache.co.ke"]

    check(shop.get("/product/kitchen/", HTTP_HOST="evil.example"), 400)


def test_a_page_can_read_that_a_form_came_without_its_mark():
    shop = Client(HTTP_ORIGIN=SHOP, enforce_csrf_checks=True)

    check(shop.post("/admin/login/", {"username": "a"}), 403)


def test_a_page_can_read_of_a_bug_of_ours(shop, settings):
    settings.ROOT_URLCONF = __name__

    check(shop.get("/bug/"), 500)


def test_a_page_can_read_that_a_form_is_too_large(shop):
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 201 + b"--x--\r\n"

    check(shop.generic("POST", "/admin/login/", body, "multipart/form-data; boundary=x"), 400)


def bug(request):
    raise ZeroDivisionError("ours")


urlpatterns = [path("bug/", bug)]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500


def test_whatever_an_answer_says_a_page_can_read(shop, world_of_answers):
    """Each header of each kind of answer is read unasked, exposed, or the browser's alone."""
    hidden = {
        name
        for answer in world_of_answers
        for name in map(str.lower, answer.headers)
        if name not in _SAFELISTED | names(answer, "Access-Control-Expose-Headers")
        and not _FOR_THE_BROWSER.match(name)
    }

    assert hidden == set()


@pytest.fixture
def world_of_answers(shop, seller, seller_api):
    ProductFactory.create_batch(26, seller=seller, category="kitchen")
    asked = {"name": "Kettle", "category": "kitchen", "item_number": 5, "price": 1500,
             "payment_mpesa_number": "0712345678"}  # fmt: skip
    return [
        shop.get("/"),
        shop.get("/product/kitchen/"),
        shop.get("/schema/"),
        shop.put("/cart/"),
        shop.get("/account/"),
        shop.get("/admin/"),
        seller_api.get("/seller/products/export/", HTTP_ORIGIN=SHOP),
        seller_api.get("/seller/statement/export/", HTTP_ORIGIN=SHOP),
        seller_api.post("/create/", asked, format="json", HTTP_ORIGIN=SHOP),
    ]
