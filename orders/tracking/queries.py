"""What tracking reads of lines: the columns its rows have, and the buyer's list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from omachemainproj.api.pagination import beyond
from omachemainproj.compiled_queries import Fixed, compiled
from orders.models import OrderTrack

KEYSET = ("-id",)

#: What a buyer sees of a line (orders.representations.represent_track).
TRACK_COLUMNS = (
    "id",
    "buyer_id",
    "order__order_token",
    "product_id",
    "name",
    "product__thumbnail",
    "number",
    "price",
    "amount",
    "seller__username",
    "track_status",
    "collection_code",
    "order__payment_status",
    "created_at",
    "updated_at",
)

#: What its seller sees of it (orders.representations.represent_sale).
SALE_COLUMNS = (
    "id",
    "order__reference",
    "product_id",
    "name",
    "product__thumbnail",
    "number",
    "price",
    "amount",
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
    """These lines as named tuples of TRACK_COLUMNS."""
    return lines.values_list(*TRACK_COLUMNS, named=True)


def as_sale_rows(lines: QuerySet[OrderTrack]) -> QuerySet[OrderTrack, Any]:
    """These lines as named tuples of SALE_COLUMNS."""
    return lines.values_list(*SALE_COLUMNS, named=True)


@compiled
def read_tracks(
    buyer_id: int, after: Sequence[int] | None, limit: Fixed[int]
) -> QuerySet[OrderTrack, Any]:
    """At most ``limit`` of the buyer's own lines, newest first, those after a place where one is
    given. One query."""
    tracks = OrderTrack.objects.bought_by(buyer_id).order_by(*KEYSET)
    if after:
        tracks = tracks.filter(beyond(KEYSET, list(after)))
    return as_track_rows(tracks)[:limit]


def read_filtered_tracks(
    buyer_id: int, columns: Mapping[str, Any], after: Sequence[int] | None, limit: int
) -> list[Any]:
    """As ``read_tracks``, of the lines whose ``columns`` have these values. One query."""
    tracks = OrderTrack.objects.bought_by(buyer_id).filter(**columns).order_by(*KEYSET)
    if after:
        tracks = tracks.filter(beyond(KEYSET, list(after)))
    return list(as_track_rows(tracks)[:limit])
