"""Debian's nginx and Caddy, as configured in deploy/, in front of the real gunicorn."""

import gzip
import http.client
import io
import os
import shutil
import time

import pytest
from PIL import Image

from daraja_simulator import Simulator
from daraja_simulator.tests.waiting import PATIENCE, wait_until
from orders.models import Order
from tests.factories import PASSWORD, ProductFactory
from tools import nginx

from .proxied import (
    ELSEWHERE,
    caddy_before,
    nginx_before,
    open_shop,
)

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

PASSWORDS = ("password1", "password2")
#: Headers that differ by server, or with each answer.
OF_A_SERVER = {
    "accept-ranges", "alt-svc", "connection", "date", "etag", "last-modified", "server",
    "strict-transport-security", "x-request-id",
}  # fmt: skip


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            nginx_before,
            id="nginx",
            marks=pytest.mark.skipif(nginx.command() is None, reason="nginx is not installed"),
        ),
        pytest.param(
            caddy_before,
            id="caddy",
            marks=pytest.mark.skipif(not shutil.which("caddy"), reason="Caddy is not installed"),
        ),
    ],
)
def shop(request, django_db_setup, django_db_blocker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    # Callbacks use TLS, with a certificate the simulator trusts.
    patch = pytest.MonkeyPatch()
    patch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(folder / "fullchain.pem"))
    with (
        Simulator(port=0, default="success", decide_after=0.1) as mpesa,
        open_shop(folder, mpesa.url) as shop,
        request.param(shop),
    ):
        shop.mpesa = mpesa
        yield shop
    patch.undo()


def joined(shop, username="wanjiku"):
    """The Authorization header of a new user: tokens are signed with the shop's key."""
    who = {"username": username, "email": f"{username}@example.co.ke"}
    got = shop.ask("POST", "/registration/", body=who | dict.fromkeys(PASSWORDS, PASSWORD))
    assert got.status == 201, got.body
    return {"Authorization": f"Bearer {got.json()['access']}"}


def form(size, **fields):
    """A form for a listing with a picture of about ``size`` bytes, and its content type."""
    drawn = io.BytesIO()
    # Noise does not compress.
    side = max(int((size / 3) ** 0.5), 64)
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(drawn, "PNG")
    fields = {
        "name": "Kettle", "category": "kitchen", "price": "1500", "item_number": "5",
        "payment_mpesa_number": "0722000000", **fields,
    }  # fmt: skip
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = b'--edge\r\nContent-Disposition: form-data; name="image"; filename="k.png"\r\n\r\n'
    body = b"".join(parts) + head + drawn.getvalue() + b"\r\n--edge--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=edge"}


def list_kettle(shop, size=30_000):
    body, headers = form(size)
    return shop.ask("POST", "/create/", body=body, headers=headers | joined(shop))


def without_those_of_a_server(answer):
    return {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower() not in OF_A_SERVER
    }


def test_a_large_picture_is_taken_and_served_from_disk_as_the_shop_would(shop):
    listed = list_kettle(shop, size=5_500_000)
    assert listed.status == 201, listed.body
    path = "/media/" + listed.json()["image"].partition("/media/")[2]
    kept = (shop.folder / path[1:]).read_bytes()

    got, own = shop.ask("GET", path), shop.ask_gunicorn(path)

    assert (got.status, got.body) == (200, kept)
    assert "X-Request-ID" not in got.headers
    assert "X-Request-ID" in own.headers
    assert without_those_of_a_server(got) == without_those_of_a_server(own)


def test_a_picture_requested_by_another_origin_is_served_by_the_shop(shop):
    path = "/media/" + list_kettle(shop).json()["image"].partition("/media/")[2]
    got = shop.ask("GET", path, headers={"Origin": ELSEWHERE})
    assert got.status == 200
    assert got.headers["Access-Control-Allow-Origin"] == ELSEWHERE


@pytest.mark.parametrize("megabytes", [13.5, 20])
def test_other_origins_can_read_why_a_body_is_too_large(shop, megabytes):
    body = bytes(int(megabytes * 1024 * 1024))
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Origin": ELSEWHERE}
    got = shop.ask("POST", "/create/", body=body, headers=headers | joined(shop))
    assert got.status == 413
    assert got.json()["code"] == "too_large"
    assert got.headers["Access-Control-Allow-Origin"] in {ELSEWHERE, "*"}


@pytest.mark.parametrize(
    "path",
    [
        "/media/products/notes.txt",
        "/media/products/page.html",
        "/media/top.webp",
        "/media/products/",
        "/media/",
        "/media/products/../../privkey.pem",
        "/media/%2e%2e/privkey.pem",
        "/media../privkey.pem",
        "/static/../privkey.pem",
        "/static../privkey.pem",
        "/privkey.pem",
        "/gunicorn.log",
    ],
)
def test_only_pictures_are_served(shop, path):
    pictures = shop.folder / "media" / "products"
    pictures.mkdir(parents=True, exist_ok=True)
    for name in ("notes.txt", "page.html", "../top.webp"):
        (pictures / name).write_text("PRIVATE")

    got = shop.ask("GET", path)

    assert got.status in {400, 404}
    assert b"PRIVATE" not in got.body


def test_a_picture_cannot_be_overwritten(shop):
    path = "/media/" + list_kettle(shop).json()["image"].partition("/media/")[2]
    kept = (shop.folder / path[1:]).read_bytes()
    assert shop.ask("PUT", path, body=b"x").status in {403, 405}
    assert shop.ask("DELETE", path).status in {403, 405}
    assert (shop.folder / path[1:]).read_bytes() == kept


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-For": "6.6.6.6"},
        {"X-Forwarded-For": "6.6.6.6, 7.7.7.7"},
        {"X-Real-IP": "6.6.6.6"},
        {"Forwarded": "for=6.6.6.6"},
        {"X_Forwarded_For": "6.6.6.6"},
    ],
    ids=str,
)
def test_a_client_cannot_forge_its_address(shop, forged):
    before = len(shop.log)
    who = {"username": f"nobody {forged}", "password": "a wrong guess"}
    got = shop.ask("POST", "/login/", body=who, headers=forged, source="127.0.0.7")
    assert got.status == 400
    said = shop.log[before:]
    assert '"address": "127.0.0.7"' in said
    assert "6.6.6.6" not in said


def test_forged_addresses_do_not_get_round_a_rate_limit(shop):
    guess = {"uid": "x", "token": "y", "new_password1": PASSWORD, "new_password2": PASSWORD}

    def ask(number, source):
        return shop.ask(
            "POST",
            "/password/reset/confirm/",
            body=guess,
            headers={"X-Forwarded-For": f"6.6.6.{number}"},
            source=source,
        ).status

    first = [ask(number, "127.0.0.7") for number in range(20)]
    assert set(first) == {400}
    assert ask(99, "127.0.0.7") == 429
    assert ask(99, "127.0.0.8") == 400


def test_a_client_cannot_pretend_to_use_https(shop):
    asked = {"headers": {"X-Forwarded-Proto": "https"}, "tls": False}
    got = shop.ask("POST", "/login/", body={"username": "a", "password": "b"}, **asked)
    assert got.status == 400
    assert got.json()["code"] == "https_required"


def test_another_host_is_not_answered_over_a_connection_to_the_shop(shop):
    try:
        said = shop.ask("GET", "/", headers={"Host": "elsewhere.example"}).body
    except (http.client.HTTPException, ConnectionError):
        said = b""

    assert said == b""


def test_plain_http_is_refused_for_passwords_and_redirected_for_pages(shop):
    got = shop.ask("GET", "/shop/cart?x=1", tls=False)
    assert got.status == 301
    assert got.headers["Location"] in {
        f"https://localhost:{shop.http}/shop/cart?x=1",
        f"https://localhost:{shop.https}/shop/cart?x=1",
    }
    token = shop.ask("GET", "/user/", headers={"Authorization": "Bearer x"}, tls=False)
    assert (token.status, token.json()["code"]) == (400, "https_required")


def test_browsers_are_redirected_to_the_shop_and_programs_get_json(shop):
    page = shop.ask("GET", "/", headers={"Accept": "text/html,application/xhtml+xml"})
    assert (page.status, page.headers["Location"].removeprefix("https://")[-6:]) == (302, "/shop/")
    assert set(shop.ask("GET", "/").json()) == {
        "electronics", "fashions", "kitchen", "computing", "gaming", "phonestablet",
    }  # fmt: skip


def test_a_probe_is_answered_and_hsts_is_sent(shop):
    got = shop.ask("GET", "/readyz/")
    assert (got.status, got.json()) == (200, {"status": "ready"})
    assert got.headers["Strict-Transport-Security"] == "max-age=3600"


def test_json_without_secrets_is_compressed(shop):
    for number in range(20):
        ProductFactory(name=f"Kettle {number} " * 5)
    got = shop.ask("GET", "/product/kitchen/", headers={"Accept-Encoding": "gzip"})
    assert got.headers["Content-Encoding"] == "gzip"
    assert b"Kettle 3" in gzip.decompress(got.body)
    etag = got.headers["ETag"]
    asked = {"Accept-Encoding": "gzip", "If-None-Match": etag}
    assert shop.ask("GET", "/product/kitchen/", headers=asked).status == 304


def test_tokens_are_not_compressed(shop):
    joined(shop)
    who = {"username": "wanjiku", "password": PASSWORD}
    got = shop.ask("POST", "/login/", body=who, headers={"Accept-Encoding": "gzip, br, zstd"})
    assert got.status == 200
    assert len(got.body) > 256
    assert "Content-Encoding" not in got.headers


def test_static_files_with_a_hash_in_their_name_are_cached_for_ever(shop):
    path = "/static/shop/assets/main-a1b2c3d4.js"
    got, own = shop.ask("GET", path), shop.ask_gunicorn(path)
    assert got.status == 200
    for headers in (got.headers, own.headers):
        assert "javascript" in headers.get_content_type()
        # Both answer with *: the origin does not matter.
        del headers["Content-Type"], headers["Vary"]
    assert without_those_of_a_server(got) == without_those_of_a_server(own)
    assert "immutable" in got.headers["Cache-Control"]
    small = shop.ask("GET", path, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(small.body) == got.body
    plain = shop.ask("GET", "/static/shop/assets/plain.js")
    assert plain.headers["Cache-Control"] == "max-age=60, public"
    assert shop.ask("GET", "/static/none.js").status == 404


def test_a_purchase_is_paid_by_a_callback_through_the_proxy(shop):
    buyer = joined(shop)
    kettle = ProductFactory()
    asked = {"order": [{"product": kettle.pk, "number": 2}], "mpesa_number": "0712345678"}

    placed = shop.ask("POST", "/cashout/", body=asked, headers=buyer)

    assert placed.status == 201, placed.body
    order = Order.objects.get()
    give_up = time.monotonic() + PATIENCE
    while order.payment_status == "requested" and time.monotonic() < give_up:
        time.sleep(0.1)
        order.refresh_from_db()
    assert order.payment_status == "paid", shop.log
    kettle.refresh_from_db()
    assert kettle.item_number == 3


def test_the_proxys_logs_contain_no_secret_address(shop):
    token = "0123456789abcdef0123456789abcdef"
    assert shop.ask("POST", f"/safwebhook/{token}/", body={"a": 1}).status == 200
    shop.ask("GET", f"/product/search/?search={token}")
    logs = [path for path in shop.folder.glob("*.log") if path.name != "gunicorn.log"]
    # One line per request; the search's line is written after its answer.
    wait_until(lambda: any("/product/search/" in path.read_text() for path in logs))
    assert not [path for path in logs if token in path.read_text()]
