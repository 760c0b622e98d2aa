"""The API's representation of a product, built directly from a row of products.catalogue.queries.

A serializer costs twenty times as much per row. ``products.serializers.ProductOutput`` describes
the same shape for OpenAPI, and a test checks that the two agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from django.http import HttpRequest
from rest_framework.request import Request

from omachemainproj.media import media_prefix
from products.models import Product, average_stars, back_within

#: The columns of a row, in the order ``ProductRepresentation.product`` reads them.
COLUMNS = (
    "id",
    "name",
    "image",
    "thumbnail",
    "description",
    "category",
    "price",
    "item_number",
    "held",
    "soldout",
    "user_name",
    "created",
    "review_stars",
    "review_count",
)

#: The columns of a row for its seller, in the order ``ProductRepresentation.listing`` reads them.
LISTING_COLUMNS = (*COLUMNS, "payment_mpesa_number", "sku", "sold", "listed", "gallery")

#: The members of a product in a list, in their order. ``pictures`` only if asked for.
FIELDS = (
    "id",
    "name",
    "image",
    "thumbnail",
    "description",
    "category",
    "price",
    "item_number",
    "available",
    "soldout",
    "back_within",
    "user_name",
    "created_at",
    "stars",
    "reviews",
)
LIST_FIELDS = (*FIELDS, "pictures")


def columns_for(fields: Sequence[str]) -> tuple[str, ...]:
    """The columns needed for these fields, without descriptions and pictures unless asked for.

    Only these two vary, so that clients cannot cause thousands of different statements.
    """
    columns = COLUMNS if "description" in fields else _WITHOUT_DESCRIPTION
    return (*columns, "gallery") if "pictures" in fields else columns


_WITHOUT_DESCRIPTION = tuple(name for name in COLUMNS if name != "description")


def row_of(product: Product) -> tuple[Any, ...]:
    """``COLUMNS`` of a product that was just saved. No query if its seller is loaded."""
    read = {
        "image": product.image.name,
        "thumbnail": product.thumbnail.name,
        "user_name": product.seller.username,
        "created": product.created_at.isoformat(timespec="microseconds"),
    }
    return tuple(read[name] if name in read else getattr(product, name) for name in COLUMNS)


class ProductRepresentation:
    """Turns the rows of one request into JSON-ready dicts."""

    def __init__(self, request: Request | HttpRequest) -> None:
        self._media = media_prefix(request)

    def product(self, row: Sequence[Any]) -> dict[str, Any]:
        """One row as the public sees it. Columns after ``COLUMNS`` are ignored.

        ``image`` and ``thumbnail`` are absolute addresses or None, ``price`` is whole KES,
        ``available`` is the part of ``item_number`` that can be bought, ``created_at`` is ISO 8601
        in UTC, ``stars`` has one decimal or is None.
        """
        pk, name, image, thumbnail, description, category, price, *rest = row
        item_number, held, soldout, user_name, created, stars, reviews = rest[:7]
        return {
            "id": pk,
            "name": name,
            "image": self._media + image if image else None,
            "thumbnail": self._media + thumbnail if thumbnail else None,
            "description": description,
            "category": category,
            "price": price,
            "item_number": item_number,
            "available": item_number - held,
            "soldout": soldout,
            "back_within": back_within(item_number, held),
            "user_name": user_name,
            "created_at": created,
            "stars": average_stars(stars, reviews),
            "reviews": reviews,
        }

    def products(
        self, rows: Iterable[Any], fields: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Many rows, in their order; with only these ``fields``, if given.

        With ``fields``, rows have to be named tuples with at least ``columns_for(fields)``.
        """
        if fields is None:
            return [self.product(row) for row in rows]
        makers = [(name, self._maker(name)) for name in fields]
        return [{name: make(row) for name, make in makers} for row in rows]

    def _maker(self, field: str) -> Callable[[Any], Any]:
        def attribute(row: Any) -> Any:
            return getattr(row, field)

        def address(row: Any) -> str | None:
            file = getattr(row, field)
            return self._media + file if file else None

        made: dict[str, Callable[[Any], Any]] = {
            "image": address,
            "thumbnail": address,
            "available": lambda row: row.item_number - row.held,
            "back_within": lambda row: back_within(row.item_number, row.held),
            "created_at": lambda row: row.created,
            "stars": lambda row: average_stars(row.review_stars, row.review_count),
            "reviews": lambda row: row.review_count,
            "pictures": lambda row: self.pictures(row.gallery),
        }
        return made.get(field, attribute)

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
            "pictures": self.pictures(row.gallery),
        }

    def pictures(self, read: str) -> list[dict[str, Any]]:
        """The pictures in the JSON written by ``queries.Pictures``, each with its sizes.

        Widths and heights are in pixels; None for a picture whose sizes are not drawn yet.
        """
        return [self._picture(*columns) for columns in orjson.loads(read)]

    def _picture(
        self, pk: int, thumbnail: str, medium: str, image: str, preview: str, sizes: Any
    ) -> dict[str, Any]:
        files = {"thumbnail": thumbnail, "medium": medium, "image": image}
        if sizes and sizes.get("thumbnail") == sizes.get("image"):
            # A picture so small that both are the same.
            files["thumbnail"] = ""
        return {
            "id": pk,
            "sizes": [self._file(file, sizes.get(name)) for name, file in files.items() if file],
            "preview": self._file(preview, sizes.get("preview")) if preview else None,
        }

    def _file(self, file: str, size: Sequence[int] | None) -> dict[str, Any]:
        width, height = size or (None, None)
        return {"url": self._media + file, "width": width, "height": height}
