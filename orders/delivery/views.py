"""The public API of pick-up points."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.counties import County
from omachemainproj.api.errors import refuse_field
from omachemainproj.api.pagination import KeysetPagination, beyond
from omachemainproj.api.parameters import PAGING, refuse_unknown
from orders.models import PickupPoint

from . import openapi
from .serializers import PickupPointFilterInput, PickupPointOutput

_KEYSET = ("id",)
#: A point that closes may still be listed for this long; cash-out refuses it.
_CACHING = "public, max-age=300"
_COLUMNS = ("id", "name", "county", "area", "directions", "opening_hours", "phone")


class PickupPointsView(GenericAPIView):
    """Lists the pick-up points parcels can be sent to."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    queryset = PickupPoint.objects.none()
    serializer_class = PickupPointOutput
    pagination_class = KeysetPagination
    throttle_scope = "browse"

    @extend_schema(**openapi.PICKUP_POINTS)
    def get(self, request: Request) -> Response:
        """List the pick-up points that accept parcels, of one county or of all."""
        refuse_unknown(request, ("county", *PAGING))
        pager = self.pagination_class()
        rows = pager.paginate(request, _KEYSET, partial(_read, _county(request)))
        response = pager.get_paginated_response([_represent(row) for row in rows])
        response["Cache-Control"] = _CACHING
        return response


def _county(request: Request) -> str:
    typed = request.query_params.getlist("county")
    if len(typed) > 1:
        refuse_field("county", "Give this once.")
    serializer = PickupPointFilterInput(data={"county": typed[0]} if typed else {})
    serializer.is_valid(raise_exception=True)
    return str(serializer.validated_data.get("county", ""))


def _read(county: str, after: list[int] | None, limit: int) -> list[Any]:
    """Return at most ``limit`` open points after a keyset position. One query."""
    points: QuerySet[Any] = PickupPoint.objects.open().order_by(*_KEYSET)
    if county:
        points = points.filter(county=county)
    if after:
        points = points.filter(beyond(_KEYSET, after))
    return list(points.values_list(*_COLUMNS, named=True)[:limit])


def _represent(row: Any) -> dict[str, Any]:
    shown = dict(zip(_COLUMNS, row, strict=True))
    return {**shown, "county_name": County(row.county).label}
