"""The digests of the copied rows of the large data set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Max
from django.utils import timezone

from omachemainproj.digests import digest_of
from orders.models import (
    AGREED_OF_DELIVERY,
    AGREED_OF_LINE,
    AGREED_OF_ORDER,
    AGREED_OF_PARCEL,
    Order,
    OrderDelivery,
    OrderTrack,
    digest_agreement,
    digest_delivery,
)
from products.models import DIGESTED_OF_REVIEW, Review

#: Orders per statement.
_AT_ONCE = 20_000


def write_digests(cursor: Any, first: int) -> None:
    """Digests of orders, deliveries and reviews, as ``prove`` computes them."""
    last = Order.objects.aggregate(last=Max("pk"))["last"]
    for start in range(first, last + 1, _AT_ONCE):
        some = {"order__gte": start, "order__lt": start + _AT_ONCE}
        _put(cursor, "orders_orderdigest (order_id, sha256)", _digests_of_orders(some))
        _put(cursor, "orders_deliverydigest (order_id, sha256)", _digests_of_deliveries(some))
    _put(cursor, "products_reviewdigest (review_id, sha256, created_at)", _digests_of_reviews())


def _put(cursor: Any, where: str, rows: Iterator[tuple[Any, ...]]) -> None:
    # Read all rows first: a connection in COPY mode cannot run queries.
    read = list(rows)
    with cursor.copy(f"COPY {where} FROM STDIN") as copied:
        for row in read:
            copied.write_row(row)


def _digests_of_orders(some: dict[str, int]) -> Iterator[tuple[int, str]]:
    agreed = {name: f"order__{name}" for name in AGREED_OF_ORDER}
    rows = (
        OrderTrack.objects.filter(**some)
        .order_by("order")
        .values_list("order", *agreed.values(), *AGREED_OF_LINE)
    )
    end = 1 + len(AGREED_OF_ORDER)
    for pk, lines in groupby(rows, key=itemgetter(0)):
        first, *rest = lines
        yield pk, digest_agreement(first[1:end], [row[end:] for row in (first, *rest)])


def _digests_of_deliveries(some: dict[str, int]) -> Iterator[tuple[int, str]]:
    rows = (
        OrderDelivery.objects.filter(**some)
        .order_by("order")
        .values_list(
            "order",
            *AGREED_OF_DELIVERY,
            *(f"order__parcels__{name}" for name in AGREED_OF_PARCEL),
        )
    )
    end = 1 + len(AGREED_OF_DELIVERY)
    for pk, parcels in groupby(rows, key=itemgetter(0)):
        first, *rest = parcels
        yield pk, digest_delivery(first[1:end], [row[end:] for row in (first, *rest)])


def _digests_of_reviews() -> Iterator[tuple[Any, ...]]:
    rows = Review.objects.order_by("pk").values_list("pk", *DIGESTED_OF_REVIEW)
    for pk, *review in rows.iterator():
        yield pk, digest_of(review), timezone.now()
