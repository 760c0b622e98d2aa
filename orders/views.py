"""Orders over HTTP, seen by their buyers."""

from __future__ import annotations

from functools import partial
from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from omachemainproj.media import media_prefix
from omachemainproj.pagination import KeysetPagination

from .answers import track_answer
from .models import OrderTrack
from .pages import KEYSET, read_tracks
from .serializers import TrackOutput


class TrackOrderView(GenericAPIView):
    """What became of everything the caller bought."""

    queryset = OrderTrack.objects.none()
    serializer_class = TrackOutput
    pagination_class = KeysetPagination

    @extend_schema(operation_id="track_order", responses={200: TrackOutput(many=True)})
    def get(self, request: Request) -> Response:
        """The caller's own lines, newest first: one row a product a seller delivers."""
        pager = self.pagination_class()
        rows = pager.paginate(request, KEYSET, partial(read_tracks, cast(int, request.user.pk)))
        prefix = media_prefix(request)
        return pager.get_paginated_response([track_answer(row, prefix) for row in rows])
