"""OpenAPI descriptions of sellers' own products: inputs, answers, examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from omachemainproj.api.error_schemas import DetailError, error_answer, field_errors
from products.catalogue.openapi import LINK, OWN_DETAIL, PICTURES, PRODUCT
from products.serializers import (
    CreateProductInput,
    EditProductInput,
    ListingOutput,
    PictureInput,
    PictureOrderInput,
    PictureOutput,
    ProductDetailOutput,
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
        "Its seller is who sends it. A picture needs `multipart/form-data`: JPEG, HEIC, PNG"
        " or WebP, at most 12 MB, kept as WebP without its metadata, in several sizes. More of"
        " them are added at `/product/{product_id}/pictures/`. With an `Idempotency-Key` the same"
        " request, sent again, is the same listing; pictures are not compared."
    ),
    "parameters": [
        OpenApiParameter(
            "Idempotency-Key",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description="The same key lists once, however often it is sent.",
        ),
        OpenApiParameter(
            "Idempotent-Replayed",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            response=[201],
            description="`true` when an earlier request with this key has listed it.",
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
            "Something in the input is wrong.",
            price={"price": ["A whole number is needed, like 1500."]},
        ),
        422: error_answer(
            "This Idempotency-Key was used for another listing.", "idempotency_key_reused"
        ),
    },
}

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
        " they do at log-in. `image` is a file in a form, which takes the place of the first"
        " picture, or null to take that away; its own address changes nothing. `item_number` is"
        " refused: stock is added by `/restock/`."
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
        400: field_errors(
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
        400: field_errors(
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

_PICTURES_NOW = [OpenApiExample("now", value=PICTURES, response_only=True)]
#: Given as it is, because an ``OpenApiResponse`` would hide from the generator that it is a list.
_PICTURES = PictureOutput(many=True)

PICTURES_OF: dict[str, Any] = {
    "operation_id": "product_pictures",
    "summary": "The pictures of my product",
    "tags": _TAGS,
    "description": "In their order, each in its sizes. Anyone sees them with the product.",
    "parameters": [_ID],
    "responses": {200: _PICTURES, 404: _NOT_YOURS},
    "examples": _PICTURES_NOW,
}

ADD_PICTURE: dict[str, Any] = {
    "operation_id": "product_picture_add",
    "summary": "Add a picture",
    "tags": _TAGS,
    "description": (
        "A file in a form, put behind the others: 8 at most. It is drawn in 400, 800 and 1600 px,"
        " and as a JPEG of 600 px for link previews; nothing is blown up."
    ),
    "parameters": [_ID],
    "request": {"multipart/form-data": PictureInput},
    "responses": {
        201: _PICTURES,
        400: field_errors(
            "It is no picture that is taken.",
            json={"image": ["Send the picture as a file, in a form (multipart/form-data)."]},
        ),
        404: _NOT_YOURS,
        409: error_answer(
            "A product has 8 pictures at most. Take one away first.", "too_many_pictures"
        ),
    },
    "examples": _PICTURES_NOW,
}

ORDER_PICTURES: dict[str, Any] = {
    "operation_id": "product_pictures_order",
    "summary": "Order the pictures",
    "tags": _TAGS,
    "description": "Every picture of the product, once each; the first is its `image` from now on.",
    "parameters": [_ID],
    "request": {"application/json": PictureOrderInput},
    "responses": {
        200: _PICTURES,
        400: field_errors(
            "They are not all there.",
            missing={"order": ["Name each picture of the product once: 7, 9."]},
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
    "summary": "Take a picture away",
    "tags": _TAGS,
    "description": "Those behind it move up: without the first, the second is the `image`.",
    "parameters": [_ID, OpenApiParameter("picture_id", OpenApiTypes.INT64, OpenApiParameter.PATH)],
    "responses": {
        204: OpenApiResponse(description="It is gone."),
        404: OpenApiResponse(
            DetailError,
            description="It is not there, or not theirs.",
            examples=[*_NOT_YOURS.examples, *_NO_PICTURE.examples],
        ),
    },
}

STOCK: dict[str, Any] = {
    "operation_id": "product_stock",
    "summary": "What came and what left",
    "tags": _TAGS,
    "description": (
        "Every change of what stands on the shelf of the caller's product, newest first; together"
        " they are its `on_shelf`. What is held for unpaid orders has not left."
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
