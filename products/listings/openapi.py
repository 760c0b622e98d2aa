"""What /docs/ says about sellers' own products: inputs, answers, examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from omachemainproj.api.schema import FieldErrors, error_answer
from products.catalogue.openapi import LINK, PRODUCT
from products.serializers import (
    EditProductInput,
    ImportInput,
    ImportOutput,
    ListingOutput,
    RestockInput,
)
from products.spreadsheets.csv_format import COLUMNS, MAX_ROWS

_LISTING = {
    **PRODUCT,
    "payment_mpesa_number": "254712345678",
    "sku": "KET-17",
    "on_shelf": 12,
    "held": 2,
    "free": 10,
    "sold": 31,
    "listed": True,
}
_TAGS = ["selling"]
_ID = OpenApiParameter("product_id", OpenApiTypes.INT64, OpenApiParameter.PATH)
_NOT_YOURS = error_answer("There is no such product.", "product_not_found")
_LOCKED_OUT = error_answer("Too many failed attempts. Try again in 5 minutes.", "locked_out")
_AS_IT_IS = [OpenApiExample("now", value=_LISTING, response_only=True)]


def _field_errors(description: str, **examples: dict[str, Any]) -> OpenApiResponse:
    shown = [OpenApiExample(name, value=value) for name, value in examples.items()]
    return OpenApiResponse(FieldErrors, description=description, examples=shown)


PRODUCTS: dict[str, Any] = {
    "operation_id": "seller_products",
    "summary": "My products",
    "tags": _TAGS,
    "description": (
        "All of the caller's products, newest first, taken off or not, each with how its stock"
        " stands: `on_shelf` (the public's `item_number`), of it `held` for orders that are not"
        " paid yet and `free` to sell, and `sold` so far."
    ),
    "parameters": [LINK],
    "responses": {200: ListingOutput(many=True)},
    "examples": [OpenApiExample("mine", value=_LISTING, response_only=True, status_codes=[200])],
}

EDIT: dict[str, Any] = {
    "operation_id": "product_edit",
    "summary": "Change a product",
    "tags": _TAGS,
    "description": (
        "By its seller; what is left out stays as it is. Orders keep the name, the price and the"
        " number they were placed with: a change concerns what is sold from now on."
        " `payment_mpesa_number` needs the account's `password` beside it; wrong ones count as"
        " they do at log-in. `image` is a file in a form, or null to take it away; its own"
        " address changes nothing. `item_number` is refused: stock is added by `/restock/`."
    ),
    "parameters": [_ID],
    "request": {
        "application/json": EditProductInput,
        "multipart/form-data": EditProductInput,
    },
    "examples": [
        OpenApiExample("price", value={"price": 1650}, request_only=True),
        OpenApiExample(
            "where you are paid",
            value={"payment_mpesa_number": "0722000000", "password": "correct horse"},
            request_only=True,
        ),
        OpenApiExample("show it again", value={"listed": True}, request_only=True),
    ],
    "responses": {
        200: OpenApiResponse(ListingOutput, description="As it is now.", examples=_AS_IT_IS),
        400: _field_errors(
            "Something in the input is wrong.",
            stock={
                "item_number": [
                    'Stock is added, not overwritten: POST /product/41/restock/ with {"number": 5}.'
                ]
            },
            password={"password": ["This is not your password."]},
        ),
        404: _NOT_YOURS,
        429: _LOCKED_OUT,
    },
}

UNLIST: dict[str, Any] = {
    "operation_id": "product_unlist",
    "summary": "Take a product off",
    "tags": _TAGS,
    "description": (
        "Its seller hides it from the public. Its orders go on and its history stays; `PATCH`"
        ' with `{"listed": true}` shows it again. Saying it twice is the same as once.'
    ),
    "parameters": [_ID],
    "responses": {204: OpenApiResponse(description="It is off."), 404: _NOT_YOURS},
}

RESTOCK: dict[str, Any] = {
    "operation_id": "product_restock",
    "summary": "Add to the shelf",
    "tags": _TAGS,
    "description": (
        "Adds to what stands there, whatever is sold meanwhile: two at once both count. A negative"
        " number takes away what is free, like broken goods, and never what an order holds."
    ),
    "parameters": [
        _ID,
        OpenApiParameter(
            "Idempotency-Key",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description="The same key counts once, however often it is sent.",
        ),
        OpenApiParameter(
            "Idempotent-Replayed",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            response=[201],
            description="`true` when an earlier request with this key was counted already.",
        ),
    ],
    "request": RestockInput,
    "examples": [
        OpenApiExample("a delivery", value={"number": 5}, request_only=True),
        OpenApiExample("broken", value={"number": -1, "note": "Fell."}, request_only=True),
    ],
    "responses": {
        201: OpenApiResponse(ListingOutput, description="As it stands now.", examples=_AS_IT_IS),
        400: _field_errors(
            "The shelf has no such number to take, or no room for it.",
            held={
                "number": ["Only 3 are free; 2 are held for orders that are not paid yet."],
            },
            full={"number": ["At most 100000 fit on a shelf; 99998 stand there."]},
        ),
        404: _NOT_YOURS,
        422: error_answer(
            "This Idempotency-Key was used for another number.", "idempotency_key_reused"
        ),
    },
}

EXPORT: dict[str, Any] = {
    "operation_id": "seller_export",
    "summary": "My products as CSV",
    "tags": _TAGS,
    "description": (
        f"All of the caller's products, newest first, in the columns `{'`, `'.join(COLUMNS)}`:"
        " the file `/seller/products/import/` takes back. UTF-8 with a byte order mark, as Excel"
        " wants it. A text a spreadsheet would run as a formula has an apostrophe before it,"
        " which is taken off again when the file is sent back."
    ),
    "responses": {
        (200, "text/csv"): OpenApiResponse(
            OpenApiTypes.STR,
            description="The file.",
            examples=[
                OpenApiExample(
                    "one listing",
                    value=(
                        f"{','.join(COLUMNS)}\r\n41,KET-17,Ramtons cordless kettle 1.7 L,"
                        "Boils in four minutes.,kitchen,1850,12,0712345678,true,\r\n"
                    ),
                )
            ],
        )
    },
}

IMPORT: dict[str, Any] = {
    "operation_id": "seller_import",
    "summary": "Send listings as CSV",
    "tags": _TAGS,
    "description": (
        f"The first row names the columns: `{'`, `'.join(COLUMNS)}`. A row with an `id`, or with a"
        " `sku` that is there, changes that listing; an empty cell leaves a thing as it is (but"
        " an empty `description` is one). Any other row is a new listing. `item_number` is read"
        " of new listings alone; `restock` adds to a shelf. Each row is saved, or not, by itself:"
        f" the report tells. At most {MAX_ROWS:,} rows.\n\n"
        "The same file sent twice lists nothing twice and adds nothing twice. A new row without a"
        " `sku` whose name the caller has listed fails, unless it is that listing, which is then"
        " `unchanged`. The same `restock` for the same `item_number` counts once; an"
        " `Idempotency-Key` of its own says that it is another delivery."
    ),
    "parameters": [
        OpenApiParameter(
            "check", OpenApiTypes.BOOL, description="`true` only tells, and changes nothing."
        ),
        OpenApiParameter(
            "Idempotency-Key",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description="What is restocked under the same key counts once for each product.",
        ),
    ],
    "request": {"multipart/form-data": ImportInput, "text/csv": OpenApiTypes.BINARY},
    "responses": {
        200: OpenApiResponse(
            ImportOutput,
            description="The file was read; what became of each row.",
            examples=[
                OpenApiExample(
                    "one of three failed",
                    value={
                        "check": False,
                        "rows": [
                            {"row": 2, "status": "updated", "id": 41, "errors": {}, "notes": {}},
                            {"row": 3, "status": "created", "id": 97, "errors": {}, "notes": {}},
                            {
                                "row": 4,
                                "status": "failed",
                                "id": None,
                                "errors": {"price": ["A whole number is needed, like 1500."]},
                                "notes": {},
                            },
                        ],
                        "totals": {"created": 1, "updated": 1, "unchanged": 0, "failed": 1},
                    },
                )
            ],
        ),
        400: _field_errors(
            "The file cannot be read, and nothing was saved.",
            encoding={"file": ["The file is not UTF-8. In Excel, save it as “CSV UTF-8”."]},
            columns={"file": ["The file has the column price twice."]},
        ),
    },
}
