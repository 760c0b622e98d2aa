"""The buyer's list of tracked lines, its statement compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection

from omachemainproj.api.pagination import beyond
from omachemainproj.compiled_queries import NUMBERS, Statement, compile_rows
from orders.models import OrderTrack
from orders.querysets import TRACK_COLUMNS

KEYSET = ("-id",)
_BUYER, _PLACE = NUMBERS


@lru_cache(maxsize=256)
def _page(vendor: str, later: bool, limit: int) -> Statement:
    tracks = OrderTrack.objects.bought_by(_BUYER).order_by(*KEYSET)
    if later:
        tracks = tracks.filter(beyond(KEYSET, [_PLACE]))
    return compile_rows(tracks.as_rows()[:limit], TRACK_COLUMNS)


def read_tracks_like(
    buyer_id: int, wanted: Mapping[str, Any], after: Sequence[int] | None, limit: int
) -> list[Any]:
    """As ``read_tracks``, of those that are ``wanted``: a filter on lines. One query."""
    tracks = OrderTrack.objects.bought_by(buyer_id).filter(**wanted).order_by(*KEYSET)
    if after:
        tracks = tracks.filter(beyond(KEYSET, list(after)))
    return list(tracks.as_rows()[:limit])


def read_tracks(buyer_id: int, after: Sequence[int] | None, limit: int) -> list[Any]:
    """At most ``limit`` of the buyer's own lines, newest first, those after a place where one is
    given. One query."""
    place = after[0] if after else None
    return _page(connection.vendor, bool(after), limit).rows({_BUYER: buyer_id, _PLACE: place})
