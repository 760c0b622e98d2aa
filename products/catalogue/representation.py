"""A product as the API shows it, made by hand from a row of products.catalogue.queries.

A serializer costs twenty times as much a row. ``products.serializers.ProductOutput`` describes the
same shape for OpenAPI, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from omachemainproj.media import media_prefix
from products.models import Product, average_stars

#: What a row holds, in the order ``ProductRepresentation.product`` reads it.
COLUMNS = (
    "id",
    "name",
    "image",
    "thumbnail",
    "description",
    "category",
    "price",
    "item_number",
    "soldout",
    "user_name",
    "created",
    "review_stars",
    "review_count",
)

#: What a row for its own seller holds, in the order ``ProductRepresentation.listing`` reads it.
LISTING_COLUMNS = (*COLUMNS, "payment_mpesa_number", "sku", "held", "sold", "listed")


def row_of(product: Product) -> tuple[Any, ...]:
    """``COLUMNS`` of a product that was just saved, with its seller at hand. No query."""
    read = {
        "image": product.image.name,
        "thumbnail": product.thumbnail.name,
        "user_name": product.seller.username,
        "created": product.created_at.isoformat(timespec="microseconds"),
    }
    return tuple(read[name] if name in read else getattr(product, name) for name in COLUMNS)


class ProductRepresentation:
    """Turns rows into JSON; what is the same for all rows of a request is found once."""

    def __init__(self, request: Request | HttpRequest) -> None:
        self._media = media_prefix(request)

    def product(self, row: Sequence[Any]) -> dict[str, Any]:
        """One row (``COLUMNS``; anything after them is left out) as the public sees it.

        ``image`` and ``thumbnail`` are absolute addresses or None, ``price`` is whole KES,
        ``created_at`` is ISO 8601 in UTC, ``stars`` has one decimal or is None.
        """
        pk, name, image, thumbnail, description, category, *rest = row
        price, item_number, soldout, user_name, created, stars, reviews = rest[:7]
        return {
            "id": pk,
            "name": name,
            "image": self._media + image if image else None,
            "thumbnail": self._media + thumbnail if thumbnail else None,
            "description": description,
            "category": category,
            "price": price,
            "item_number": item_number,
            "soldout": soldout,
            "user_name": user_name,
            "created_at": created,
            "stars": average_stars(stars, reviews),
            "reviews": reviews,
        }

    def products(self, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
        """Many rows, in their order."""
        return [self.product(row) for row in rows]

    def listing(self, row: Any) -> dict[str, Any]:
        """One row (``LISTING_COLUMNS``) as its seller sees it, with its stock."""
        return {
            **self.product(row),
            "payment_mpesa_number": row.payment_mpesa_number,
            "sku": row.sku,
            "on_shelf": row.item_number,
            "held": row.held,
            "free": row.item_number - row.held,
            "sold": row.sold,
            "listed": row.listed,
        }
