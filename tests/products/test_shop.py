"""The storefront's server-rendered pages."""

import gzip
import json
import os
import re
from html import unescape
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client

from products.models import Product, ProductPicture
from products.shop import build, pages, words
from products.shop.heads import shorten
from tests.factories import ProductFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGE = (Path(__file__).parents[1] / "storefront" / "index.html").read_text()
MANIFEST = {
    "_shop.js": {"file": "assets/shop-abcdefgh.js"},
    "_kinds.js": {"file": "assets/Kinds-abcdefgh.js", "imports": ["_shop.js"]},
    "src/catalogue/HomePage.tsx": {
        "file": "assets/HomePage-abcdefgh.js",
        "imports": ["_shop.js", "_kinds.js"],
    },
    "src/i18n/en/shop.po": {"file": "assets/en-abcdefgh.js"},
    "src/i18n/sw/shop.po": {"file": "assets/sw-abcdefgh.js"},
}
STOREFRONT = Path(__file__).parents[2] / "storefront"


@pytest.fixture(autouse=True)
def built(tmp_path, settings):
    """A built storefront in a temporary folder."""
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "index.html").write_text(PAGE)
    settings.STOREFRONT_BUILD = tmp_path
    return tmp_path


def get(client: Client, path: str, **headers: str):
    return client.get(path, headers=headers)


def boot(response) -> dict:
    """The data embedded in a page, without the features."""
    return {key: value for key, value in block(response).items() if key != "features"}


def block(response) -> dict:
    found = re.search(r'<script type="application/json" id="boot">(.*?)</script>', text(response))
    return json.loads(found[1])


def linked_data(response) -> dict:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', text(response))
    return json.loads(found[1])


def text(response) -> str:
    return response.content.decode()


def meta(response, name: str) -> str | None:
    found = re.search(
        rf'<meta (?:name|property)="{re.escape(name)}" content="([^"]*)">', text(response)
    )
    return unescape(found[1]) if found else None


def test_a_product_is_painted_with_its_data_and_its_preview(client, django_assert_num_queries):
    product = ProductFactory(name="Kettle 1.7 L", description="Boils\nfast.", price=1850)

    with django_assert_num_queries(1):
        response = get(client, f"/shop/product/{product.pk}")

    address = f"http://testserver/shop/product/{product.pk}-kettle-1-7-l"
    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert "<title>Kettle 1.7 L · O-Mache</title>" in text(response)
    assert meta(response, "description") == "Boils fast."
    assert meta(response, "og:title") == "Kettle 1.7 L · O-Mache"
    assert meta(response, "og:url") == address
    assert f'<link rel="canonical" href="{address}">' in text(response)
    assert meta(response, "product:price:amount") == "1850"
    assert meta(response, "robots") is None
    assert '<h1 class="name">Kettle 1.7 L</h1>' in text(response)
    assert "KES\u00a01,850" in text(response)
    data = linked_data(response)
    assert data["offers"]["price"] == 1850
    assert data["offers"]["availability"] == "https://schema.org/InStock"
    assert "aggregateRating" not in data


def test_a_product_links_to_the_page_of_its_seller(client):
    product = ProductFactory(seller=UserFactory(username="amina+kiosk"))

    response = get(client, f"/shop/product/{product.pk}")

    link = re.search(r'<a href="([^"]*)">amina\+kiosk</a>', text(response))
    assert link is not None
    assert link[1] == "/shop/seller/amina%2Bkiosk"
    assert get(client, link[1]).status_code == 200


def test_the_data_of_a_product_is_what_the_api_says(client):
    product = ProductFactory()

    response = get(client, f"/shop/product/{product.pk}")

    assert boot(response) == {"product": client.get(f"/product/{product.pk}/").json()}


@pytest.mark.parametrize("written", ["", "-kettle", "-other-words-than-its-name"])
def test_a_product_is_found_by_its_id_whatever_words_follow(client, written):
    product = ProductFactory()

    assert get(client, f"/shop/product/{product.pk}{written}").status_code == 200


def test_text_of_a_seller_is_escaped(client):
    nasty = '"><script>alert(1)</script><!-- & </script><img src=x>'
    product = ProductFactory(name=f"Pot {nasty}", description=nasty)

    response = get(client, f"/shop/product/{product.pk}")

    assert "<script>alert" not in text(response)
    assert "<img src=x>" not in text(response)
    assert text(response).count("</script>") == text(response).count("<script ")
    assert boot(response)["product"]["description"] == nasty
    assert meta(response, "description") == nasty
    assert linked_data(response)["name"] == f"Pot {nasty}"


def test_a_product_that_is_sold_out_says_so_to_search_engines(client):
    product = ProductFactory(item_number=1)
    Product.objects.filter(pk=product.pk).update(item_number=0)

    response = get(client, f"/shop/product/{product.pk}")

    assert linked_data(response)["offers"]["availability"] == "https://schema.org/OutOfStock"
    assert "Sold out" in text(response)


@pytest.mark.parametrize("number", ["999999", "0", "999999999999999999"])
def test_a_product_nobody_may_see_is_a_404_with_the_page_that_says_so(client, number):
    response = get(client, f"/shop/product/{number}")

    assert response.status_code == 404
    assert "<title>This product is no longer available</title>" in text(response)
    assert meta(response, "robots") == "noindex"
    assert '<header class="top">' in text(response)


def test_a_link_to_a_product_shows_its_jpeg(client):
    product = ProductFactory(image="products/pot.webp", thumbnail="products/pot-400.webp")
    picture = ProductPicture.objects.create(product=product, image="products/pot.webp")

    pictures_missing_sizes = get(client, f"/shop/product/{product.pk}")
    ProductPicture.objects.filter(pk=picture.pk).update(preview="products/pot.jpg")
    drawn = get(client, f"/shop/product/{product.pk}")

    assert (
        meta(pictures_missing_sizes, "og:image") == "http://testserver/media/products/pot-400.webp"
    )
    assert meta(drawn, "og:image") == "http://testserver/media/products/pot.jpg"


def test_a_product_that_was_taken_off_is_a_404(client):
    product = ProductFactory(listed=False)

    assert get(client, f"/shop/product/{product.pk}").status_code == 404


def test_home_brings_eight_cards_a_shelf_and_no_description(client, django_assert_num_queries):
    seller = UserFactory()
    for at in range(10):
        ProductFactory(seller=seller, name=f"Pot {at}", category="kitchen", description="x" * 500)

    with django_assert_num_queries(1):
        response = get(client, "/shop/")

    home = boot(response)["home"]
    assert list(home) == list(pages.SECTIONS)
    assert [card["name"] for card in home["kitchen"]] == [f"Pot {at}" for at in range(9, 1, -1)]
    assert set(home["kitchen"][0]) == set(pages.CARD)
    assert text(response).count('<li class="card') == 8
    assert "xxxxx" not in text(response)
    assert linked_data(response)["@type"] == "WebSite"
    assert meta(response, "og:url") == "http://testserver/shop/"


def test_an_empty_shop_has_a_home(client):
    response = get(client, "/shop/")

    assert response.status_code == 200
    assert "What do you need today?" in text(response)


def test_a_category_brings_its_first_page_and_the_way_to_the_next(
    client, django_assert_num_queries
):
    seller = UserFactory()
    for at in range(26):
        ProductFactory(seller=seller, name=f"Pot {at}", category="kitchen")

    with django_assert_num_queries(1):
        response = get(client, "/shop/category/kitchen")

    listed = client.get("/product/kitchen/")
    found = boot(response)["category"]
    assert [card["id"] for card in found["page"]["items"]] == [each["id"] for each in listed.json()]
    assert found["page"]["next"] in listed["Link"]
    assert (found["name"], found["asked"]) == ("kitchen", "")
    assert meta(response, "og:url") == "http://testserver/shop/category/kitchen"


def test_a_category_goes_by_the_filters_in_the_address_and_stays_out_of_search_engines(client):
    seller = UserFactory()
    for price in (300, 100, 200):
        ProductFactory(seller=seller, name=f"Pot {price}", category="kitchen", price=price)

    response = get(client, "/shop/category/kitchen?ordering=price&min_price=150")

    found = boot(response)["category"]
    assert [card["price"] for card in found["page"]["items"]] == [200, 300]
    assert found["asked"] == "ordering=price&min_price=150"
    assert meta(response, "robots") == "noindex"


@pytest.mark.parametrize(
    "asked",
    [
        "fields=id", "fields=name,price&fields=id", "fields=", "fields=x", "page_size=1",
        "page_size=0", "cursor=x", "cursor=", "seller=x", "seller=%F0%9F%98%80", "in_stock=false",
        "in_stock=x", "listed=false", "ordering=x", "min_price=1e9", "max_price=-1", "format=json",
        "search=pot", "category=kitchen", "fbclid=1", "page=2", "stars=5", "pictures=x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [{}, {"Accept": "text/csv"}, {"If-None-Match": "*"}])
def test_a_category_is_shown_whatever_its_address_asks_for(client, asked, headers):
    ProductFactory(name="Pot", category="kitchen", item_number=0)
    pot = ProductFactory(name="Pot", category="kitchen")

    response = client.get(f"/shop/category/kitchen?{asked}", headers=headers)

    assert response.status_code in {200, 304}
    if asked.startswith("fields=") and not headers and asked not in {"fields=", "fields=x"}:
        [card] = boot(response)["category"]["page"]["items"]
        assert (card["id"], set(card)) == (pot.pk, set(pages.CARD))


def test_a_further_page_of_a_category_is_painted_for_who_has_no_program(client):
    seller = UserFactory()
    for at in range(26):
        ProductFactory(seller=seller, name=f"Pot {at}", category="kitchen")
    first = get(client, "/shop/category/kitchen")
    more = unescape(re.search(r'<a class="button plain" href="(\?[^"]+)"', text(first))[1])

    second = get(client, f"/shop/category/kitchen{more}")

    assert text(second).count('<li class="card') == 1
    assert boot(second) == {}


def test_a_filter_that_cannot_be_read_is_left_to_the_program(client):
    response = get(client, "/shop/category/kitchen?min_price=cheap")

    assert response.status_code == 200
    assert boot(response) == {}


def test_every_page_says_what_the_settings_let_people_do(client, settings):
    before = get(client, "/shop/sign-in")
    settings.PHONE_LOGIN = settings.GUEST_CHECKOUT = False
    after = get(client, "/shop/sign-in", **{"If-None-Match": before["ETag"]})

    assert block(before)["features"]["phone_login"] is True
    assert after.status_code == 200
    assert block(after)["features"] == {"phone_login": False, "guest_checkout": False}


@pytest.mark.parametrize(
    "path",
    ["category/nothing", "nothing", "product/kettle", "pay", "orders/1/2", "admin", "../admin"],
)
def test_a_page_that_is_not_there_is_a_404(client, path):
    assert get(client, f"/shop/{path}").status_code == 404


def test_django_knows_every_page_of_the_program(client):
    written = (STOREFRONT / "src" / "app" / "pages.ts").read_text()
    paths = re.findall(r'path: "(/[^"]*)"', written)
    product = ProductFactory()

    assert len(paths) == written.count("page: lazyPage")
    for path in paths:
        named = {"product": product.pk, "category": "kitchen", "listing": product.pk}
        named["username"] = product.seller.username
        real = re.sub(r":(\w+)", lambda found: str(named.get(found[1], "x")), path)  # noqa: B023
        response = get(client, "/shop" + real)
        assert response.status_code == 200, path


def test_a_sellers_page_says_who_sells(client):
    seller = UserFactory(username="amina", first_name="Amina")
    ProductFactory(seller=seller)

    response = get(client, "/shop/seller/AMINA")

    assert "<title>Amina · O-Mache</title>" in text(response)
    assert (
        meta(response, "description")
        == "Shop from Amina on O-Mache. Pay with M-Pesa and get it delivered."
    )
    assert 'rel="canonical" href="http://testserver/shop/seller/amina"' in text(response)


def test_who_sells_nothing_has_no_page(client):
    assert get(client, f"/shop/seller/{UserFactory().username}").status_code == 404


@pytest.mark.parametrize("path", ["cart", "checkout", "orders", "account", "sign-in", "search"])
def test_pages_of_ones_own_bring_no_data_and_stay_out_of_search_engines(client, path):
    response = get(client, f"/shop/{path}")

    assert response.status_code == 200
    assert boot(response) == {}
    assert meta(response, "robots") == "noindex"


@pytest.mark.parametrize("path", ["/shop", "/shop/", "/shop/cart", "/shop/cart/"])
def test_a_last_slash_makes_no_difference(client, path):
    assert get(client, path).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "chosen", "language"),
    [
        ("", None, "en"),
        ("sw-KE,en;q=0.8", None, "sw"),
        ("fr,sw;q=0.5,en;q=0.4", None, "sw"),
        ("de", None, "en"),
        ("sw", "en", "en"),
        ("en", "sw", "sw"),
        ("en", "xx", "en"),
    ],
)
def test_the_language_is_what_was_chosen_or_else_the_browsers(client, accepted, chosen, language):
    if chosen:
        client.cookies["language"] = chosen

    response = get(client, "/shop/", accept_language=accepted)

    assert f'<html lang="{language}">' in text(response)
    assert words.WORDS[language]["welcome"] in text(response)
    assert {"Accept-Language", "Cookie"} <= set(response["Vary"].split(", "))


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_the_painted_words_are_the_programs(language):
    folder = STOREFRONT / "src" / "i18n" / language
    known = (folder / "shop.po").read_text()
    name = "msgid" if language == "en" else "msgstr"
    texts = {
        json.loads(f'"{each}"') for each in re.findall(rf'^{name} "(.*)"$', known, re.MULTILINE)
    }
    # "See all" and "Sold by" are followed by other text.
    painted = {
        key: word
        for key, word in words.WORDS[language].items()
        if key not in {"see_all", "sold_by", "of_5", "of_category", "of_seller", "few"}
    }

    assert {key: word for key, word in painted.items() if word not in texts} == {}
    assert set(words.WORDS["en"]) == set(words.WORDS["sw"])


def test_a_page_has_an_etag_and_is_asked_about_each_time(client):
    product = ProductFactory()
    first = get(client, f"/shop/product/{product.pk}")

    again = get(client, f"/shop/product/{product.pk}", if_none_match=first["ETag"])
    product.name = "Another"
    product.save(update_fields=["name"])
    changed = get(client, f"/shop/product/{product.pk}", if_none_match=first["ETag"])

    assert first["Cache-Control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200


def test_a_page_travels_compressed_and_its_etag_still_counts(client):
    product = ProductFactory()
    squeezed = get(client, f"/shop/product/{product.pk}", accept_encoding="gzip")

    again = get(
        client,
        f"/shop/product/{product.pk}",
        accept_encoding="gzip",
        if_none_match=squeezed["ETag"],
    )

    assert squeezed["Content-Encoding"] == "gzip"
    assert b'id="boot"' in gzip.decompress(squeezed.content)
    assert again.status_code == 304


def test_the_strict_policy_stands(client, settings):
    response = get(client, f"/shop/product/{ProductFactory().pk}")

    assert response["Content-Security-Policy"] == settings.CONTENT_SECURITY_POLICY
    # The page needs no further query.
    assert " style=" not in text(response)
    assert not re.search(r"\son\w+=", text(response))
    kinds = set(re.findall(r'<script type="([^"]+)"', text(response)))
    assert kinds == {"application/ld+json", "application/json", "module"}


@pytest.mark.parametrize("path", ["/shop/", "/robots.txt", "/shop/sitemap.xml"])
def test_nothing_can_be_sent_there(client, path):
    assert client.post(path).status_code == 405


def test_plain_http_is_redirected_to_https(client, settings):
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = True

    response = get(client, "/shop/product/1")

    assert response.status_code == 301
    assert response["Location"].startswith("https://testserver/shop/product/1")


def test_the_files_a_page_will_need_are_named_at_once_and_no_others(client):
    response = get(client, "/shop/", accept_language="sw")

    named = re.findall(r'modulepreload" crossorigin href="/static/shop/([^"]+)"', text(response))
    assert named == [
        "assets/HomePage-abcdefgh.js",
        "assets/Kinds-abcdefgh.js",
        "assets/sw-abcdefgh.js",
    ]


def test_a_new_build_is_served_without_a_restart(client, built):
    assert "v2" not in text(get(client, "/shop/"))

    (built / "index.html").write_text(PAGE.replace("<body>", "<body><!-- v2 -->"))
    os.utime(built / "index.html", ns=(1, 1))

    assert "v2" in text(get(client, "/shop/"))


def test_where_nobody_has_built_it_a_page_says_how(client, built):
    (built / "index.html").unlink()

    response = get(client, "/shop/")

    assert response.status_code == 503
    assert "make shop" in text(response)
    assert client.get("/").status_code == 200


def test_a_page_without_its_marks_is_refused(built):
    (built / "index.html").write_text("<html></html>")
    os.utime(built / "index.html", ns=(2, 2))

    with pytest.raises(ValueError, match="lacks a mark"):
        build.read_build()


def test_the_service_worker_is_served_where_it_may_keep_the_shop(client, built, settings):
    (built / "sw.js").write_text("first")

    response = get(client, "/shop/sw.js")

    # Its scope is its folder, and browsers revalidate it.
    assert response.content == b"first"
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Cache-Control"] == "no-cache"
    assert response["Content-Security-Policy"] == settings.CONTENT_SECURITY_POLICY


def test_a_new_build_has_another_service_worker_at_once(client, built):
    (built / "sw.js").write_text("first")
    get(client, "/shop/sw.js")

    (built / "sw.js").write_text("second")

    assert get(client, "/shop/sw.js").content == b"second"


@pytest.mark.parametrize("missing", ["sw.js", "index.html"])
def test_a_build_without_a_service_worker_gets_a_404(client, built, missing):
    (built / "sw.js").write_text("worker")
    (built / missing).unlink()

    assert get(client, "/shop/sw.js").status_code == 404


def test_the_page_that_the_worker_keeps_is_the_same_for_everybody(client):
    kept = get(client, "/shop/cart")

    assert kept.status_code == 200
    assert boot(kept) == {}
    assert meta(kept, "robots") == "noindex"


def test_the_app_that_can_be_installed_is_the_shop_and_has_its_icons():
    manifest = json.loads((STOREFRONT / "public" / "manifest.webmanifest").read_text())

    assert (manifest["start_url"], manifest["scope"]) == ("/shop/", "/shop/")
    sizes = {(icon["sizes"], icon.get("purpose", "any")) for icon in manifest["icons"]}
    assert sizes == {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}
    for icon in manifest["icons"]:
        head = (STOREFRONT / "public" / icon["src"]).read_bytes()[:24]
        side = int(icon["sizes"].partition("x")[0])
        # A PNG has its width and height in its first chunk.
        assert head[1:4] == b"PNG"
        assert [int.from_bytes(head[16:20]), int.from_bytes(head[20:24])] == [side, side]


def test_robots_may_look_at_what_is_public(client):
    response = get(client, "/robots.txt")

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    lines = text(response).splitlines()
    assert "Allow: /shop/" in lines
    assert "Disallow: /shop/account" in lines
    assert "Disallow: /" in lines
    assert lines[-1] == "Sitemap: http://testserver/shop/sitemap.xml"


def test_the_sitemap_has_every_product_for_sale_by_a_thousand_ids(
    client, django_assert_num_queries
):
    seller = UserFactory()
    # All three in one thousand, wherever the sequence of ids stands.
    first = (ProductFactory(seller=seller, listed=False).pk // 1000 + 1) * 1000
    shown = ProductFactory(pk=first + 1, seller=seller, name="Pot & pan")
    ProductFactory(pk=first + 2, seller=seller, listed=False)
    far = ProductFactory(pk=first + 3, seller=seller)
    Product.objects.filter(pk=shown.pk).update(name="Pot & pan")

    with django_assert_num_queries(1):
        index = text(get(client, "/shop/sitemap.xml"))
    parts = re.findall(r"<loc>(http://testserver/shop/sitemap-\d+\.xml)</loc>", index)
    with django_assert_num_queries(1):
        listed = text(get(client, parts[shown.pk // 1000 + 1].removeprefix("http://testserver")))

    assert len(parts) == far.pk // 1000 + 2
    assert f"http://testserver/shop/product/{shown.pk}-pot-pan</loc>" in listed
    assert listed.count("<url>") == 2
    others = text(get(client, parts[0].removeprefix("http://testserver")))
    assert others.count("<url>") == 1 + len(words.CATEGORY_NAMES)


def test_the_sitemap_of_an_empty_shop_has_its_pages(client):
    cache.clear()

    index = text(get(client, "/shop/sitemap.xml"))

    assert index.count("<sitemap>") == 1


def test_a_description_is_one_line_of_at_most_160_characters():
    assert shorten("a\n\n b") == "a b"
    assert shorten("x" * 160) == "x" * 160
    assert shorten("x" * 161) == "x" * 159 + "…"
