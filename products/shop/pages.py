"""The pages of the storefront: the rendered HTML, the embedded data, and the status."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.media import media_prefix
from omachemainproj.money import format_kes
from products.catalogue import queries
from products.catalogue.home import home_page
from products.catalogue.list_views import CategoryView
from products.catalogue.representation import COLUMNS, ProductRepresentation
from products.models import Category
from products.reviews.representation import represent_seller, sellers_called

from .build import Build, PageValues
from .heads import data_block, head, product_head, product_path, trail
from .words import CATEGORY_NAMES, WORDS

#: The fields of a product in a list (a Card in storefront/src/api/queries.ts).
CARD = (
    "id",
    "name",
    "thumbnail",
    "price",
    "available",
    "soldout",
    "stars",
    "reviews",
    "category",
    "user_name",
)
#: The home page's six sections in their order, with the category of each, and how many products
#: each has.
SECTIONS = {
    "phonestablet": Category.PHONES,
    "electronics": Category.ELECTRONICS,
    "kitchen": Category.KITCHEN,
    "fashions": Category.FASHIONS,
    "computing": Category.COMPUTING,
    "gaming": Category.GAMING,
}
PER_SECTION = 8
#: How many sections are rendered: those visible without scrolling. The app adds the others.
_RENDERED = 2
#: At most how many left are mentioned on a card (storefront/src/catalogue/Card.tsx).
_LOW_STOCK = 3

#: A category's orders, with their labels' keys (as in storefront/src/catalogue/FilterForm.tsx).
_ORDERS = {
    "newest": "newest",
    "price": "price_low",
    "-price": "price_high",
    "stars": "best_rated",
    "best-selling": "best_selling",
}

_PRODUCT = re.compile(r"product/([0-9]{1,18})(?:-[^/]*)?")
_SELLER = re.compile(r"seller/([A-Za-z0-9._+-]{1,150})")
_CATEGORY = re.compile(r"category/([a-z]{1,40})")
#: Pages rendered by the app only. storefront/src/app/pages.ts lists all pages, and a test compares
#: the two.
_OTHERS = re.compile(
    r"search|cart|checkout|pay/[^/]+|orders(?:/[^/]+(?:/problem/[^/]+)?)?|sign-in|join"
    r"|account(?:/(?:addresses|deleted?))?|delivering|notices"
    r"|selling(?:/(?:new|listings(?:/[0-9]{1,18})?|reviews|sheets|orders|money|problems))?"
    r"|password/reset(?:/confirm/[^/]+/[^/]+)?|email/confirm/[^/]+"
)


class _Cards(CategoryView):
    """A category's products with all their members, whichever ``fields`` the address names."""

    def read_parameters(self, request: Request) -> None:
        super().read_parameters(request)
        self.fields, self.columns = None, COLUMNS


class Page(NamedTuple):
    """A page before it is filled in, and the status of its response."""

    filling: PageValues
    status: int = 200


class Writer:
    """Renders the pages of one request."""

    def __init__(self, request: HttpRequest, build: Build, language: str) -> None:
        self.request = request
        self.build = build
        self.language = language
        self.words = WORDS[language]
        self.base = request.build_absolute_uri("/shop/")

    def page(self, path: str) -> Page:
        """The page at this path below ``/shop/``. An unknown one has status 404."""
        if not path:
            return self.home()
        if found := _PRODUCT.fullmatch(path):
            return self.product(int(found[1]))
        if found := _CATEGORY.fullmatch(path):
            return self.category(found[1])
        if found := _SELLER.fullmatch(path):
            return self.seller(found[1])
        if _OTHERS.fullmatch(path):
            return self._plain("O-Mache")
        return self._plain(self.words["not_found"], status=status.HTTP_404_NOT_FOUND)

    def home(self) -> Page:
        """The home page. One query."""
        rows = home_page().products
        represent = ProductRepresentation(self.request)
        shelves = {
            key: [_card(represent.product(row)) for row in rows[key][:PER_SECTION]]
            for key in SECTIONS
        }
        painted = [
            {
                "key": SECTIONS[key].value,
                "name": self.words[SECTIONS[key].value],
                "cards": [self._rendered(card) for card in cards],
            }
            for key, cards in shelves.items()
            if cards
        ]
        data = {
            "@context": "https://schema.org",
            "@type": "WebSite",
            "name": "O-Mache",
            "url": self.base,
            "potentialAction": {
                "@type": "SearchAction",
                "target": f"{self.base}search?search={{term}}",
                "query-input": "required name=term",
            },
        }
        title = head(
            title=self.words["title"],
            description=self.words["promise"],
            address=self.base,
            data=[data],
            modules=self._modules("catalogue/HomePage"),
        )
        root = self._render("home", shelves=painted[:_RENDERED])
        return Page(self._filling(title, root, {"home": shelves}))

    def category(self, name: str) -> Page:
        """The first products of a category, by the filters in the address. One query."""
        if name not in Category.values:
            return self._plain(self.words["not_found"], status=status.HTTP_404_NOT_FOUND)
        shown = self.words[name]
        answer = self._ask_category(name)
        if answer.status_code != status.HTTP_200_OK:
            # An invalid filter, or too many requests: the app shows the error.
            return self._plain(f"{shown} · O-Mache")
        cards = [_card(product) for product in answer.data]
        cursor = _next_cursor(answer.get("Link", ""))
        parameters = self.request.GET
        title = head(
            title=f"{shown} · O-Mache",
            description=self.words["of_category"].format(name=shown),
            address=f"{self.base}category/{name}" if not parameters else "",
            data=[trail([(shown, "")])],
            modules=self._modules("catalogue/CategoryPage"),
        )
        root = self._render(
            "category",
            name=name,
            shown=shown,
            cards=[self._rendered(card) for card in cards],
            more=self._with(cursor),
            asked=parameters,
            orders=[(value, self.words[key]) for value, key in _ORDERS.items()],
        )
        boot = {
            "category": {
                "name": name,
                "asked": parameters.urlencode(),
                "page": {"items": cards, "next": cursor},
            }
        }
        # The app always begins with a list's first page.
        return Page(self._filling(title, root, {} if "cursor" in parameters else boot))

    def product(self, product_id: int) -> Page:
        """One product, or 404 if it is not listed. One query."""
        row = queries.read_product(product_id)
        if row is None or not row.listed:
            return self._plain(self.words["unavailable"], status=status.HTTP_404_NOT_FOUND)
        shape = ProductRepresentation(self.request)
        product = {**shape.product(row), "pictures": shape.pictures(row.gallery)}
        category = self.words[product["category"]]
        title = product_head(product, self.base, category, self._modules("catalogue/ProductPage"))
        root = self._render(
            "product",
            product=self._rendered(product),
            category=category,
            files=_sizes(product),
        )
        return Page(self._filling(title, root, {"product": product}))

    def seller(self, username: str) -> Page:
        """A seller's page, whose content the app renders; 404 if there is no such seller."""
        row = next(iter(sellers_called(username)), None)
        if row is None:
            return self._plain(self.words["not_found"], status=status.HTTP_404_NOT_FOUND)
        seller = represent_seller(row, media_prefix(self.request))
        shown = seller["display_name"]
        title = head(
            title=f"{shown} · O-Mache",
            description=self.words["of_seller"].format(name=shown),
            address=f"{self.base}seller/{seller['user_name']}",
            kind="profile",
            modules=self._modules("seller/SellerPage"),
        )
        return Page(self._filling(title, self._render("base"), {}))

    def _ask_category(self, name: str) -> Response:
        """The API's response for the same filters, order and cursor."""
        response = _Cards.as_view()(self.request, category=name)
        if not isinstance(response, Response):
            raise TypeError(f"{response!r} is no answer of the API")
        return response

    def _plain(self, title: str, *, status: int = 200) -> Page:
        return Page(self._filling(head(title=title), self._render("base"), {}), status)

    def _filling(self, title: str, root: str, boot: Mapping[str, Any]) -> PageValues:
        block = data_block("application/json", {"features": _features(), **boot}, "boot")
        return PageValues(self.language, title, root, block)

    def _render(self, template: str, **context: Any) -> str:
        categories = [(name, self.words[name]) for name in CATEGORY_NAMES]
        return render_to_string(
            f"shop/{template}.html", {"words": self.words, "categories": categories, **context}
        )

    def _rendered(self, product: Mapping[str, Any]) -> dict[str, Any]:
        available = product["available"]
        return {
            **product,
            "path": product_path(product),
            # A no-break space between KES and the number.
            "money": format_kes(product["price"]).replace(" ", "\u00a0"),
            "few": self.words["few"].format(number=available)
            if 0 < available <= _LOW_STOCK
            else "",
        }

    def _modules(self, page: str) -> list[str]:
        return self.build.modules(f"src/{page}.tsx", f"src/i18n/{self.language}/shop.po")

    def _with(self, cursor: str | None) -> str:
        """The query string of the list's next page; empty if there is none."""
        if cursor is None:
            return ""
        parameters = self.request.GET.copy()
        parameters["cursor"] = cursor
        return parameters.urlencode()


def _features() -> dict[str, bool]:
    """The features enabled in the settings; storefront/src/api/boot.ts reads them on every page."""
    return {"phone_login": settings.PHONE_LOGIN, "guest_checkout": settings.GUEST_CHECKOUT}


def _card(product: Mapping[str, Any]) -> dict[str, Any]:
    return {name: product[name] for name in CARD}


def _sizes(product: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files for the first picture's ``srcset``, as in storefront/src/ui/Picture.tsx."""
    files: list[dict[str, Any]] = product["pictures"][0]["sizes"] if product["pictures"] else []
    return files if len(files) > 1 and all(file["width"] for file in files) else files[:1]


def _next_cursor(link: str) -> str | None:
    """The cursor of the next page, from an API response's ``Link`` header."""
    found = re.search(r'<([^>]+)>;\s*rel="next"', link)
    values: Iterable[str] = parse_qs(urlsplit(found[1]).query).get("cursor", ()) if found else ()
    return next(iter(values), None)
