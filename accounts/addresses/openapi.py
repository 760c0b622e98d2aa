"""OpenAPI descriptions of addresses and counties."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from omachemainproj.api.error_schemas import error_answer, field_errors

from .serializers import AddressInput, AddressOutput, CountyOutput
from .services import STAYS_DEFAULT, TooManyAddresses

_TAGS = ["account"]
_HOME = {
    "label": "home",
    "recipient": "Wanjiku Kamau",
    "phone": "254712345678",
    "county": "nairobi",
    "area": "Kilimani, Argwings Kodhek Road",
    "directions": "Blue gate opposite the petrol station; ask for flat 4.",
    "is_default": True,
    "is_collection_place": False,
}
_ANSWER = {"id": 41, **_HOME, "county_name": "Nairobi City"}
_ASKED = OpenApiExample(
    "home",
    value={**_HOME, "phone": "0712 345 678"},
    request_only=True,
    media_type="application/json",
)
_MOVED = OpenApiExample("the default from now on", value={"is_default": True}, request_only=True)
_NOT_THERE = error_answer("Not found.", "not_found")
_WRONG = field_errors(
    "Something in the input is wrong.",
    phone={"phone": ["Enter a Kenyan mobile number, like 0712345678."]},
)
_WRONG_CHANGE = field_errors(
    "Something in the input is wrong.", default={"is_default": [STAYS_DEFAULT]}
)


def _answer(name: str, value: Any, *codes: int) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=list(codes))


LIST: dict[str, Any] = {
    "tags": _TAGS,
    "operation_id": "list_addresses",
    "summary": "The caller's addresses",
    "responses": AddressOutput(many=True),
    "examples": [_answer("one", [_ANSWER], 200)],
}
ADD: dict[str, Any] = {
    "tags": _TAGS,
    "operation_id": "add_address",
    "summary": "Add an address",
    "request": AddressInput,
    "responses": {
        200: AddressOutput,
        201: AddressOutput,
        400: _WRONG,
        409: error_answer(TooManyAddresses.message, TooManyAddresses.code),
    },
    "examples": [_ASKED, _answer("added", _ANSWER, 200, 201)],
}
GET: dict[str, Any] = {
    "tags": _TAGS,
    "operation_id": "get_address",
    "summary": "One address",
    "responses": {200: AddressOutput, 404: _NOT_THERE},
    "examples": [_answer("home", _ANSWER, 200)],
}
CHANGE: dict[str, Any] = {
    "tags": _TAGS,
    "operation_id": "edit_address",
    "summary": "Change an address",
    "request": AddressInput,
    "responses": {200: AddressOutput, 400: _WRONG_CHANGE, 404: _NOT_THERE},
    "examples": [_MOVED, _answer("changed", _ANSWER, 200)],
}
DELETE: dict[str, Any] = {
    "tags": _TAGS,
    "operation_id": "delete_address",
    "summary": "Delete an address",
    "responses": {204: None, 404: _NOT_THERE},
}
COUNTIES: dict[str, Any] = {
    "tags": ["catalogue"],
    "operation_id": "list_counties",
    "summary": "The counties",
    "responses": CountyOutput(many=True),
    "examples": [
        _answer(
            "two of the 47",
            [{"key": "mombasa", "name": "Mombasa"}, {"key": "nairobi", "name": "Nairobi City"}],
            200,
        )
    ],
}
