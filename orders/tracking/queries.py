"""Queries of tracking: the columns of its rows, and the buyer's lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When

from omachemainproj.api.pagination import beyond
from omachemainproj.compiled_queries import Fixed, compiled
from orders.models import Order, OrderTrack, Problem

KEYSET = ("-id",)

#: The columns for a buyer (orders.representations.represent_track).
TRACK_COLUMNS = (
    "id",
    "buyer_id",
    "seller_id",
    "order__order_token",
    "order__reference",
    "order__in_doubt",
    "parcel_id",
    "product_id",
    "name",
    "product__thumbnail",
    "number",
    "price",
    "amount",
    "reduced",
    "seller__username",
    "track_status",
    "collection_code",
    "code_misses",
    "parcel__code_misses",
    "disputed",
    "order__payment_status",
    "created_at",
    "updated_at",
    "review__id",
    "review__created_at",
)

#: The columns for a seller (orders.representations.represent_sale).
SALE_COLUMNS = (
    "id",
    "buyer_id",
    "seller_id",
    "order__reference",
    "order__in_doubt",
    "parcel_id",
    "code_misses",
    "parcel__code_misses",
    "product_id",
    "name",
    "product__thumbnail",
    "number",
    "price",
    "amount",
    "reduced",
    "track_status",
    "buyer__first_name",
    "order__mpesa_number",
    "order__delivery__way",
    "order__delivery__county",
    "order__delivery__pickup_point__name",
    "created_at",
    "updated_at",
)


def as_track_rows(lines: QuerySet[OrderTrack]) -> QuerySet[OrderTrack, Any]:
    """Return lines as named tuples of TRACK_COLUMNS."""
    return lines.values_list(*TRACK_COLUMNS, named=True)


def as_sale_rows(lines: QuerySet[OrderTrack]) -> QuerySet[OrderTrack, Any]:
    """Return lines as named tuples of SALE_COLUMNS."""
    return lines.values_list(*SALE_COLUMNS, named=True)


def lines_of(order: Order) -> QuerySet[Any]:
    """Return an order's lines by id, annotated with ``thumbnail`` and ``seller_name``.

    ``thumbnail`` is the stored name of the product's thumbnail, or "".
    """
    return order.tracks.annotate(
        thumbnail=F("product__thumbnail"), seller_name=F("seller__username")
    ).order_by("pk")


def read_rows_of(orders: Sequence[int]) -> list[Any]:
    """Return the lines of these orders by id, as in ``as_track_rows``. One query.

    With ``order_id``, and ``to_answer``: whether a problem waits for the buyer's answer.
    """
    problems = Problem.objects.to_answer().filter(track=OuterRef("pk"))
    awaits_answer = Case(When(disputed=True, then=Exists(problems)), default=Value(False))
    rows = (
        OrderTrack.objects.filter(order__in=orders).order_by("pk").annotate(to_answer=awaits_answer)
    )
    return list(rows.values_list(*TRACK_COLUMNS, "order_id", "to_answer", named=True))


@compiled
def read_orders(buyer_id: int, after: Sequence[int] | None, limit: Fixed[int]) -> QuerySet[Order]:
    """Return at most ``limit`` of the buyer's orders, newest first, after a keyset position."""
    orders = Order.objects.placed_by(buyer_id).order_by(*KEYSET)
    if after:
        orders = orders.filter(beyond(KEYSET, list(after)))
    return orders[:limit]


@compiled
def read_tracks(
    buyer_id: int, after: Sequence[int] | None, limit: Fixed[int]
) -> QuerySet[OrderTrack, Any]:
    """Return at most ``limit`` of the buyer's lines, newest first, after a keyset position."""
    tracks = OrderTrack.objects.bought_by(buyer_id).order_by(*KEYSET)
    if after:
        tracks = tracks.filter(beyond(KEYSET, list(after)))
    return as_track_rows(tracks)[:limit]


def read_filtered_tracks(
    buyer_id: int, columns: Mapping[str, Any], after: Sequence[int] | None, limit: int
) -> list[Any]:
    """Like ``read_tracks``, for lines whose ``columns`` have these values. One query."""
    tracks = OrderTrack.objects.bought_by(buyer_id).filter(**columns).order_by(*KEYSET)
    if after:
        tracks = tracks.filter(beyond(KEYSET, list(after)))
    return list(as_track_rows(tracks)[:limit])
