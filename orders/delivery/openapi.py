"""OpenAPI description of pick-up points."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from omachemainproj.api.error_schemas import field_errors

from .serializers import PickupPointFilterInput, PickupPointOutput

POINT: dict[str, Any] = {
    "id": 3,
    "name": "Kilimani Pick-up",
    "county": "nairobi",
    "county_name": "Nairobi City",
    "area": "Argwings Kodhek Road",
    "directions": "Ground floor of Yaya Annex, beside the chemist.",
    "opening_hours": "Mon–Sat 8:00–19:00",
    "phone": "254711000111",
}
_LINK = OpenApiParameter(
    "Link",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description='`<address>; rel="next"` (RFC 8288) if there is a next page.',
)

PICKUP_POINTS: dict[str, Any] = {
    "operation_id": "pickup_points",
    "summary": "List pick-up points",
    "auth": [],
    "tags": ["pickup-points"],
    "parameters": [PickupPointFilterInput, _LINK],
    "responses": {
        200: PickupPointOutput(many=True),
        400: field_errors(
            "A parameter cannot be read.",
            county={
                "county": [
                    "There is no such county. Send the key of one, as GET /counties/ lists them."
                ]
            },
        ),
    },
    "examples": [OpenApiExample("a point", value=POINT, response_only=True, status_codes=[200])],
}
