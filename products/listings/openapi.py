"""OpenAPI descriptions of sellers' own products: inputs, responses, examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from omachemainproj.api.error_schemas import DetailError, error_answer, field_errors
from products.catalogue.openapi import LINK, OWN_DETAIL, PICTURES, PRODUCT
from products.serializers import PictureOutput, ProductDetailOutput

from .serializers import (
    CreateProductInput,
    EditProductInput,
    ListingOutput,
    PictureInput,
    PictureOrderInput,
    RestockInput,
    StockMoveOutput,
)

_LISTING = {
    **PRODUCT,
    "payment_mpesa_number": "254712345678",
    "sku": "KET-17",
    "on_shelf": 12,
    "held": 2,
    "free": 10,
    "sold": 31,
    "listed": True,
    "pictures": PICTURES,
}
_TAGS = ["selling"]
_ID = OpenApiParameter("product_id", OpenApiTypes.INT64, OpenApiParameter.PATH)
_NOT_YOURS = error_answer("There is no such product.", "product_not_found")
_NO_PICTURE = error_answer("There is no such picture.", "picture_not_found")
_LOCKED_OUT = error_answer("Too many failed attempts. Try again in 5 minutes.", "locked_out")
_AS_IT_IS = [OpenApiExample("now", value=_LISTING, response_only=True)]


CREATE: dict[str, Any] = {
    "operation_id": "product_create",
    "summary": "List a product",
    "tags": ["catalogue"],
    "description": (
        "The caller becomes the seller. To include a picture, send `multipart/form-data`: JPEG,"
        " HEIC, PNG or WebP, at most 12 MB, which is stored as WebP without metadata in several"
        " sizes. Add more at `/product/{product_id}/pictures/`. With an `Idempotency-Key` a"
        " repeated request returns the same listing; pictures are not compared."
    ),
    "parameters": [
        OpenApiParameter(
            "Idempotency-Key",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description="A request with the same key creates the listing only once.",
        ),
        OpenApiParameter(
            "Idempotent-Replayed",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            response=[201],
            description="`true` if an earlier request with this key created the listing.",
        ),
    ],
    "request": {
        "application/json": CreateProductInput,
        "multipart/form-data": CreateProductInput,
    },
    "responses": {
        201: OpenApiResponse(
            ProductDetailOutput,
            description="The product as its seller sees it; `Location` is its address.",
            examples=[OpenApiExample("created", value=OWN_DETAIL, response_only=True)],
        ),
        400: field_errors(
            "The input is invalid.",
            price={"price": ["A whole number is needed, like 1500."]},
        ),
        422: error_answer(
            "This Idempotency-Key was used for another listing.", "idempotency_key_reused"
        ),
    },
}

PRODUCTS: dict[str, Any] = {
    "operation_id": "seller_products",
    "summary": "List your products",
    "tags": _TAGS,
    "description": (
        "All of the caller's products, newest first, including unlisted ones, with their stock:"
        " `on_shelf` (the public `item_number`), of which `held` are reserved for unpaid orders and"
        " `free` can be sold, and `sold` so far."
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
        "Only the product's seller can do this. Omitted fields stay unchanged. Existing orders keep"
        " the name, price and payment number they were placed with. Changing"
        " `payment_mpesa_number` also needs the account's `password`; wrong passwords count as"
        " failed log-ins. `image` is a file in a form that replaces the first picture, or null to"
        " remove it; sending its current address changes nothing. `item_number` is refused: use"
        " `/restock/` to change the stock."
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
        200: OpenApiResponse(ListingOutput, description="The product.", examples=_AS_IT_IS),
        400: field_errors(
            "The input is invalid.",
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
    "summary": "Unlist a product",
    "tags": _TAGS,
    "description": (
        "Hides the caller's product from the public. Existing orders and its history are kept;"
        ' `PATCH` with `{"listed": true}` lists it again. Safe to repeat.'
    ),
    "parameters": [_ID],
    "responses": {204: OpenApiResponse(description="The product is unlisted."), 404: _NOT_YOURS},
}

RESTOCK: dict[str, Any] = {
    "operation_id": "product_restock",
    "summary": "Restock a product",
    "tags": _TAGS,
    "description": (
        "Adds to the current stock; concurrent sales and restocks all count. A negative number"
        " removes free units, for example broken ones, but never units reserved for an order."
    ),
    "parameters": [
        _ID,
        OpenApiParameter(
            "Idempotency-Key",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description="A request with the same key counts only once.",
        ),
        OpenApiParameter(
            "Idempotent-Replayed",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            response=[201],
            description="`true` if an earlier request with this key was already counted.",
        ),
    ],
    "request": RestockInput,
    "examples": [
        OpenApiExample("a delivery", value={"number": 5}, request_only=True),
        OpenApiExample("broken", value={"number": -1, "note": "Fell."}, request_only=True),
    ],
    "responses": {
        201: OpenApiResponse(ListingOutput, description="The product.", examples=_AS_IT_IS),
        400: field_errors(
            "Fewer units are free, or the stock would be too large.",
            held={
                "number": ["Only 3 are available; 2 are reserved for unpaid orders."],
            },
            full={"number": ["At most 100000 can be in stock; there are 99998 now."]},
        ),
        404: _NOT_YOURS,
        422: error_answer(
            "This Idempotency-Key was used for another number.", "idempotency_key_reused"
        ),
    },
}

_PICTURES_NOW = [OpenApiExample("now", value=PICTURES, response_only=True)]
#: Not in an ``OpenApiResponse``, which would hide from the generator that it is a list.
_PICTURES = PictureOutput(many=True)

PICTURES_OF: dict[str, Any] = {
    "operation_id": "product_pictures",
    "summary": "List a product's pictures",
    "tags": _TAGS,
    "description": "The pictures of the caller's product in their order, each with its sizes.",
    "parameters": [_ID],
    "responses": {200: _PICTURES, 404: _NOT_YOURS},
    "examples": _PICTURES_NOW,
}

ADD_PICTURE: dict[str, Any] = {
    "operation_id": "product_picture_add",
    "summary": "Add a picture",
    "tags": _TAGS,
    "description": (
        "A file in a form, added after the others; at most 8. It is stored in 400, 800 and 1600 px,"
        " and as a JPEG of 600 px for link previews. Pictures are never enlarged."
    ),
    "parameters": [_ID],
    "request": {"multipart/form-data": PictureInput},
    "responses": {
        201: _PICTURES,
        400: field_errors(
            "Not an accepted picture format.",
            json={"image": ["Send the picture as a file, in a form (multipart/form-data)."]},
        ),
        404: _NOT_YOURS,
        409: error_answer(
            "A product can have at most 8 pictures. Remove one first.", "too_many_pictures"
        ),
    },
    "examples": _PICTURES_NOW,
}

ORDER_PICTURES: dict[str, Any] = {
    "operation_id": "product_pictures_order",
    "summary": "Reorder a product's pictures",
    "tags": _TAGS,
    "description": "List every picture of the product once. The first becomes its `image`.",
    "parameters": [_ID],
    "request": {"application/json": PictureOrderInput},
    "responses": {
        200: _PICTURES,
        400: field_errors(
            "The list is incomplete.",
            missing={"order": ["List every picture of the product once: 7, 9."]},
        ),
        404: _NOT_YOURS,
    },
    "examples": [
        OpenApiExample("the second first", value={"order": [9, 7]}, request_only=True),
        *_PICTURES_NOW,
    ],
}

REMOVE_PICTURE: dict[str, Any] = {
    "operation_id": "product_picture_remove",
    "summary": "Remove a picture",
    "tags": _TAGS,
    "description": "The pictures after it move up. Without the first, the second is the `image`.",
    "parameters": [_ID, OpenApiParameter("picture_id", OpenApiTypes.INT64, OpenApiParameter.PATH)],
    "responses": {
        204: OpenApiResponse(description="The picture is removed."),
        404: OpenApiResponse(
            DetailError,
            description="There is no such product or picture, or it is another seller's.",
            examples=[*_NOT_YOURS.examples, *_NO_PICTURE.examples],
        ),
    },
}

STOCK: dict[str, Any] = {
    "operation_id": "product_stock",
    "summary": "List stock movements",
    "tags": _TAGS,
    "description": (
        "Every change of the stock of the caller's product, newest first. Their sum is `on_shelf`."
        " Units reserved for unpaid orders are still in stock."
    ),
    "parameters": [_ID, LINK],
    "responses": {200: StockMoveOutput(many=True), 404: _NOT_YOURS},
    "examples": [
        OpenApiExample(
            "a delivery",
            value={
                "id": 4711,
                "number": 5,
                "kind": "restocked",
                "note": "From Nakuru",
                "by": "amina",
                "created_at": "2026-11-23T13:36:00.123456+00:00",
            },
            response_only=True,
            status_codes=[200],
        )
    ],
}
