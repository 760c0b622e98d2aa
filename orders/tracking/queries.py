"""The buyer's list of tracked lines, its statement compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from omachemainproj.api.pagination import beyond
from omachemainproj.compiled_queries import Fixed, compiled
from orders.models import OrderTrack

KEYSET = ("-id",)


def read_tracks_like(
    buyer_id: int, wanted: Mapping[str, Any], after: Sequence[int] | None, limit: int
) -> list[Any]:
    """As ``read_tracks``, of those that are ``wanted``: a filter on lines. One query."""
    tracks = OrderTrack.objects.bought_by(buyer_id).filter(**wanted).order_by(*KEYSET)
    if after:
        tracks = tracks.filter(beyond(KEYSET, list(after)))
    return list(tracks.as_rows()[:limit])


@compiled
def read_tracks(
    buyer_id: int, after: Sequence[int] | None, limit: Fixed[int]
) -> QuerySet[OrderTrack, Any]:
    """At most ``limit`` of the buyer's own lines, newest first, those after a place where one is
    given. One query."""
    tracks = OrderTrack.objects.bought_by(buyer_id).order_by(*KEYSET)
    if after:
        tracks = tracks.filter(beyond(KEYSET, list(after)))
    return tracks.as_rows()[:limit]
