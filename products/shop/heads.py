"""Titles, link previews and structured data, for search engines and shared links."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from omachemainproj.api.renderers import write_json

#: About how many characters of a description search engines show.
_SHOWN = 160
_MAX_WORDS = 60


def product_path(product: Mapping[str, Any]) -> str:
    """The path of a product below ``/shop/``, such as ``product/41-ramtons-cordless-kettle``."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", product["name"]).lower()
        if not unicodedata.combining(letter)
    )
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_MAX_WORDS]
    return f"product/{product['id']}-{words}" if words else f"product/{product['id']}"


def head(  # noqa: PLR0913 - each is a part of the head
    *,
    title: str,
    description: str = "",
    address: str = "",
    kind: str = "website",
    picture: str | None = None,
    more: Sequence[tuple[str, str]] = (),
    data: Sequence[Mapping[str, Any]] = (),
    modules: Sequence[str] = (),
) -> str:
    """The content of the page's ``head``, escaped.

    Without an ``address`` the page is marked ``noindex``. ``data`` are blocks of JSON-LD, ``more``
    are additional OpenGraph properties.
    """
    named = [("description", description)] if description else []
    if not address:
        named.append(("robots", "noindex"))
    properties = [
        ("og:site_name", "O-Mache"),
        ("og:type", kind),
        ("og:title", title),
        ("og:description", description),
        ("og:url", address),
        ("og:image", picture or ""),
        *more,
    ]
    parts = [
        format_html("<title>{}</title>", title),
        format_html_join("", '<meta name="{}" content="{}">', named),
        format_html('<link rel="canonical" href="{}">', address) if address else "",
        format_html_join(
            "",
            '<meta property="{}" content="{}">',
            [each for each in properties if address and each[1]],
        ),
        format_html_join(
            "",
            '<link rel="modulepreload" crossorigin href="/static/shop/{}">',
            [(file,) for file in modules],
        ),
    ]
    parts += [data_block("application/ld+json", each) for each in data]
    return "".join(parts)


def data_block(kind: str, data: Any, name: str = "") -> SafeString:
    """JSON in a script element that browsers do not run, escaped so that it cannot close early."""
    text = write_json(data).decode()
    for sign, written in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, written)
    mark = format_html(' id="{}"', name) if name else ""
    return format_html(
        '<script type="{}"{}>{}</script>',
        kind,
        mark,
        mark_safe(text),  # noqa: S308 - escaped above, as JSON is
    )


def product_head(
    product: Mapping[str, Any], base: str, category: str, modules: Sequence[str]
) -> str:
    """The head of a product's page. ``base`` is the shop's address, ``category`` its name."""
    address = f"{base}{product_path(product)}"
    description = shorten(product["description"]) or f"KES {product['price']:,} · O-Mache"
    return head(
        title=f"{product['name']} · O-Mache",
        description=description,
        address=address,
        kind="product",
        picture=_preview(product),
        more=[
            ("product:price:amount", str(product["price"])),
            ("product:price:currency", "KES"),
        ],
        data=[
            _product_data(product, address, description),
            trail([(category, f"{base}category/{product['category']}"), (product["name"], "")]),
        ],
        modules=modules,
    )


def _preview(product: Mapping[str, Any]) -> str | None:
    """The picture for link previews: a JPEG if there is one, as some messengers read no WebP."""
    for picture in product["pictures"]:
        if picture["preview"]:
            return str(picture["preview"]["url"])
    thumbnail: str | None = product["thumbnail"]
    return thumbnail


def shorten(text: str) -> str:
    """The beginning of a text, in one line, at most 160 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1].rstrip()}…"


def trail(steps: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The breadcrumbs of a page as JSON-LD, from (name, address) pairs, the page itself last."""
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": place,
                "name": name,
                **({"item": address} if address else {}),
            }
            for place, (name, address) in enumerate(steps, start=1)
        ],
    }


def _product_data(product: Mapping[str, Any], address: str, description: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product["name"],
        "description": description,
        "url": address,
        "category": product["category"],
        "offers": {
            "@type": "Offer",
            "url": address,
            "priceCurrency": "KES",
            "price": product["price"],
            "availability": (
                "https://schema.org/OutOfStock"
                if product["soldout"]
                else "https://schema.org/InStock"
            ),
            "seller": {"@type": "Person", "name": product["user_name"]},
        },
    }
    if product["pictures"]:
        data["image"] = [picture["sizes"][-1]["url"] for picture in product["pictures"]]
    if product["reviews"]:
        data["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": product["stars"],
            "reviewCount": product["reviews"],
        }
    return data
