"""How the API describes parcels."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from accounts.backoffice.approval_limits import SecondPersonNeeded
from accounts.backoffice.conflicts import ConflictOfInterest
from omachemainproj.api.error_schemas import error_answer, refusals
from orders.claims import (
    ClaimedByAnother,
    HasFetched,
    NotADeliveryAgent,
    NothingToDeliver,
    TooManyClaims,
)
from orders.fulfilment import NotAllowed, PaymentInDoubt

from .serializers import (
    AttemptInput,
    ParcelFilterInput,
    ParcelMoveInput,
    ParcelOutput,
    ReleaseInput,
)

_LINK = OpenApiParameter(
    "Link",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description='`<address>; rel="next"` (RFC 8288) where there is a next page.',
)
_NONE = error_answer("There is no such parcel.", "parcel_not_found")
_NO_AGENT = refusals(NotADeliveryAgent)
_NOT_THEIRS = refusals(ConflictOfInterest, NotADeliveryAgent)
_CLAIMED = refusals(ClaimedByAnother, TooManyClaims, NothingToDeliver)
_FETCHED = refusals(ClaimedByAnother, HasFetched)
_NOT_ATTEMPTED = refusals(NotAllowed, ClaimedByAnother)
_NOT_MOVED = refusals(
    NotAllowed,
    ClaimedByAnother,
    TooManyClaims,
    NothingToDeliver,
    PaymentInDoubt,
    SecondPersonNeeded,
)
_PARCEL = OpenApiExample(
    "to fetch",
    value={
        "id": 88,
        "order": "PR7KWQ4M",
        "status": "to_fetch",
        "mine": True,
        "claimed_at": "2026-11-28T06:10:00.123456Z",
        "since": "2026-11-28T05:55:10.654321Z",
        "arrived_at": None,
        "lines": [
            {"id": 512, "name": "Ramtons cordless kettle 1.7 L", "number": 2,
             "track_status": "paid"},
        ],
        "collect": {
            "name": "Amina Hassan (amina)",
            "phone": "254722000001",
            "county": "nairobi",
            "county_name": "Nairobi City",
            "area": "Eastleigh, Section 2",
            "directions": "Garissa Lodge, shop 14, upstairs",
        },
        "deliver": {
            "way": "pickup",
            "recipient": "Wanjiku Kamau",
            "phone": None,
            "county": "nairobi",
            "county_name": "Nairobi City",
            "area": "Kilimani Pick-up, Argwings Kodhek Road",
            "directions": "Next to the petrol station",
            "pickup_point": {
                "id": 3,
                "name": "Kilimani Pick-up",
                "opening_hours": "Mon–Sat 8:00–19:00",
                "phone": "254733000003",
            },
        },
        "actions": ["fetched", "release"],
        "code_tries": 5,
    },
    response_only=True,
    status_codes=[200],
)  # fmt: skip
_TAGS = ["delivery"]

LIST: dict[str, Any] = {
    "operation_id": "deliveries",
    "summary": "List parcels",
    "tags": _TAGS,
    "parameters": [ParcelFilterInput, _LINK],
    "responses": {200: ParcelOutput(many=True), 403: _NO_AGENT},
    "examples": [_PARCEL],
}
CLAIM: dict[str, Any] = {
    "operation_id": "delivery_claim",
    "summary": "Claim a parcel",
    "tags": _TAGS,
    "request": None,
    "responses": {200: ParcelOutput, 403: _NOT_THEIRS, 404: _NONE, 409: _CLAIMED},
    "examples": [_PARCEL],
}
RELEASE: dict[str, Any] = {
    "operation_id": "delivery_release",
    "summary": "Release a parcel",
    "tags": _TAGS,
    "request": ReleaseInput,
    "responses": {200: ParcelOutput, 403: _NOT_THEIRS, 404: _NONE, 409: _FETCHED},
    "examples": [
        _PARCEL,
        OpenApiExample("by staff", {"note": "His bike broke down."}, request_only=True),
    ],
}
ATTEMPT: dict[str, Any] = {
    "operation_id": "delivery_attempt",
    "summary": "Report a failed delivery",
    "tags": _TAGS,
    "request": AttemptInput,
    "responses": {200: ParcelOutput, 403: _NOT_THEIRS, 404: _NONE, 409: _NOT_ATTEMPTED},
    "examples": [
        _PARCEL,
        OpenApiExample("nobody there", {"reason": "nobody_there"}, request_only=True),
    ],
}
MOVE: dict[str, Any] = {
    "operation_id": "delivery_move",
    "summary": "Move a whole parcel",
    "tags": _TAGS,
    "request": ParcelMoveInput,
    "responses": {200: ParcelOutput, 403: _NOT_THEIRS, 404: _NONE, 409: _NOT_MOVED},
    "examples": [
        _PARCEL,
        OpenApiExample("fetched", {"to": "fetched"}, request_only=True),
        OpenApiExample("handed over", {"to": "delivered", "code": "482913"}, request_only=True),
    ],
}
