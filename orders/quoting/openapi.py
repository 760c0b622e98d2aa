"""OpenAPI description of quotes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from omachemainproj.api.error_schemas import field_errors

from .serializers import QuoteInput, QuoteOutput

_SHORT = {"code": "short", "message": "Only 1 left.", "left": 1, "shown": None}
_LINE: dict[str, Any] = {
    "product": 7,
    "number": 2,
    "name": "Ramtons cordless kettle 1.7 L",
    "seller": "amina",
    "price": 1500,
    "amount": 3000,
    "available": True,
    "problem": None,
}
_ANSWER = {
    "lines": [
        _LINE,
        {
            "product": 9,
            "number": 3,
            "name": "Non-stick pan",
            "seller": "baraka",
            "price": 400,
            "amount": 1200,
            "available": False,
            "problem": _SHORT,
        },
    ],
    "parcels": [{"seller": "amina", "goods": 3000, "fee": 150, "free_above": 5000, "days": 2}],
    "goods": 3000,
    "delivery_fee": 150,
    "amount": 3150,
    "days": 2,
    "problems": [],
}
_NOWHERE = {
    "lines": [_LINE],
    "parcels": [],
    "goods": 3000,
    "delivery_fee": None,
    "amount": None,
    "days": None,
    "problems": [
        {
            "code": "no_rate",
            "message": "We do not deliver to Turkana yet. Choose a pick-up point, or arrange "
            "delivery with the seller.",
            "left": None,
            "shown": None,
        }
    ],
}
_LINES = [{"product": 7, "number": 2}]

QUOTE: dict[str, Any] = {
    "operation_id": "quote",
    "summary": "Quote a cart",
    "tags": ["cart"],
    "request": QuoteInput,
    "responses": {
        200: QuoteOutput,
        400: field_errors("The input is wrong.", empty={"order": ["This list may not be empty."]}),
    },
    "examples": [
        OpenApiExample(
            "to a pick-up point",
            value={"order": _LINES, "delivery": {"pickup_point": 3}},
            request_only=True,
        ),
        OpenApiExample(
            "to an address in a county",
            value={"order": _LINES, "delivery": {"county": "nairobi"}},
            request_only=True,
        ),
        OpenApiExample("one of two is available", value=_ANSWER, response_only=True),
        OpenApiExample("no delivery there", value=_NOWHERE, response_only=True),
    ],
}
