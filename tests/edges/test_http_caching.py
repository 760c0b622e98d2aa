"""What caches may keep of every route's answer, and how large answers travel."""

import gzip
import json
from types import SimpleNamespace

import pytest
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.views import APIView

from omachemainproj.http_caching import COMPRESSED_FROM, HttpCachingMiddleware, is_public
from tests.conftest import signed_in
from tests.factories import ProductFactory, UserFactory
from tests.permissions.routes import routes

pytestmark = pytest.mark.django_db

#: What everybody gets alike. Each of these has an ETag and may be kept; nothing else may.
PUBLIC = {
    "": "no-cache",
    "robots.txt/": "no-cache",
    "shop/sitemap.xml/": "public, max-age=3600",
    "shop/sitemap-{part}.xml/": "public, max-age=3600",
    "counties/": "public, max-age=86400",
    "pickup-points/": "public, max-age=300",
    "categories/": "public, max-age=60",
    "product/search/": "no-cache",
    # Good for SUGGESTIONS_MAX_AGE, which tests set to nothing.
    "product/suggest/": "public, max-age=0",
    "product/{category}/": "no-cache",
    "product/{product_id}/": "no-cache",
    "product/{product_id}/reviews/": "no-cache",
    "seller/{username}/": "no-cache",
    "schema/": "no-cache",
    "docs/": "no-cache",
}
#: What the web server serves in a real shop.
FILES = {"media/{path}"}


@pytest.fixture
def address():
    product = ProductFactory(seller=UserFactory(username="amina"))
    values = {"product_id": product.pk, "category": "kitchen", "username": "amina"}

    class Values(dict):
        def __missing__(self, name):
            return "1"

    return lambda route: "/" + route.format_map(Values(values))


@pytest.mark.parametrize("route", sorted(set(routes()) - FILES))
def test_every_response_says_who_may_cache_it(client, address, route):
    answer = client.get(address(route))

    assert answer.get("Cache-Control") == PUBLIC.get(route) or (
        route not in PUBLIC and "no-store" in answer["Cache-Control"]
    )
    assert answer.has_header("ETag") == (route in PUBLIC)


@pytest.mark.parametrize("route", sorted(PUBLIC))
def test_an_unchanged_public_answer_is_not_sent_twice(client, address, route):
    first = client.get(address(route))

    again = client.get(address(route), headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again["Cache-Control"] == first["Cache-Control"]


def test_a_changed_answer_is_sent_again(client):
    first = client.get("/product/kitchen/")
    ProductFactory()

    again = client.get("/product/kitchen/", headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]


def test_a_product_is_kept_from_caches_for_who_says_who_they_are(address):
    seller = UserFactory()
    product = ProductFactory(seller=seller)

    answer = signed_in(seller).get(f"/product/{product.pk}/")

    assert answer["Cache-Control"] == "no-store"
    assert not answer.has_header("ETag")


def test_a_product_tells_caches_that_a_token_changes_it(client, address):
    assert "Authorization" in client.get(address("product/{product_id}/"))["Vary"]


@pytest.mark.parametrize("path", ["/product/999999/", "/product/cars/", "/nowhere/", "/livez/"])
def test_a_404_is_not_cached(client, path):
    assert client.get(path)["Cache-Control"] == "no-store"


def test_a_page_that_got_another_behind_it_is_sent_again(client):
    ProductFactory(price=10)
    address = "/product/kitchen/?page_size=1&ordering=price"
    last = client.get(address)
    ProductFactory(price=20)

    again = client.get(address, headers={"If-None-Match": last["ETag"]})

    assert (again.status_code, again.content) == (200, last.content)
    assert again.has_header("Link")


def large(client, **headers):
    ProductFactory.create_batch(5)
    return client.get("/product/kitchen/", headers=headers)


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.5", "*"])
def test_large_json_travels_in_gzip(client, accepted):
    answer = large(client, **{"Accept-Encoding": accepted})

    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    assert int(answer["Content-Length"]) == len(answer.content)
    assert len(json.loads(gzip.decompress(answer.content))) == 5
    assert answer["ETag"].startswith('W/"')


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "x-gzip-like"])
def test_a_client_without_gzip_gets_none(client, accepted):
    answer = large(client, **{"Accept-Encoding": accepted})

    assert not answer.has_header("Content-Encoding")
    assert "Accept-Encoding" in answer["Vary"]
    assert len(answer.json()) == 5


def test_an_unchanged_gzip_answer_is_not_sent_twice_either(client):
    first = large(client, **{"Accept-Encoding": "gzip"})

    again = client.get(
        "/product/kitchen/",
        headers={"Accept-Encoding": "gzip", "If-None-Match": first["ETag"]},
    )

    assert again.status_code == 304


def test_small_json_travels_as_it_is(client):
    answer = client.get("/product/kitchen/", headers={"Accept-Encoding": "gzip"})

    assert not answer.has_header("Content-Encoding")


def test_a_persons_own_list_is_compressed_too():
    seller = UserFactory()
    ProductFactory.create_batch(5, seller=seller)

    answer = signed_in(seller).get("/seller/products/", headers={"Accept-Encoding": "gzip"})

    assert (answer["Content-Encoding"], answer["Cache-Control"]) == ("gzip", "no-store")


def test_a_cart_is_compressed(client):
    ids = [product.pk for product in ProductFactory.create_batch(5)]

    answer = client.post(
        "/cart/", ids, content_type="application/json", headers={"Accept-Encoding": "gzip"}
    )

    assert answer["Content-Encoding"] == "gzip"


def test_nothing_that_may_have_a_token_is_compressed(client):
    UserFactory(username="amina", password="a long enough secret")

    answer = client.post(
        "/login/",
        {"username": "amina", "password": "a long enough secret"},
        content_type="application/json",
        headers={"Accept-Encoding": "gzip"},
    )

    assert answer.status_code == 200
    assert len(answer.content) > COMPRESSED_FROM / 2
    assert not answer.has_header("Content-Encoding")


def test_pages_of_the_admin_are_not_compressed(client):
    answer = client.get("/admin/login/", headers={"Accept-Encoding": "gzip"})

    assert len(answer.content) > COMPRESSED_FROM
    assert not answer.has_header("Content-Encoding")


def test_a_view_of_combined_permissions_is_private(rf):
    class Combined(APIView):
        permission_classes = [AllowAny | IsAuthenticated]

    request = rf.get("/x/")
    request.resolver_match = SimpleNamespace(func=Combined.as_view())

    assert is_public(request) is False


def test_the_cache_of_compressed_answers_is_bounded():
    middleware = HttpCachingMiddleware(lambda request: None)

    for number in range(200):
        middleware._compress(b"x" * 2000, f'"{number}"')

    assert len(middleware._compressed) == 64
