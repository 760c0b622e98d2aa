"""OpenAPI descriptions of the catalogue: inputs, answers, examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from omachemainproj.api.schema import error_answer, field_errors
from products.models import Category
from products.serializers import (
    CartInput,
    HomeOutput,
    ProductDetailOutput,
    ProductOutput,
)

from .home import CATEGORIES
from .search import MAX_TERM

PRODUCT: dict[str, Any] = {
    "id": 41,
    "name": "Ramtons cordless kettle 1.7 L",
    "image": "http://127.0.0.1:8000/media/products/3f1c.webp",
    "thumbnail": "http://127.0.0.1:8000/media/products/3f1c.thumb.webp",
    "description": "Boils in four minutes and switches itself off.",
    "category": "kitchen",
    "price": 1850,
    "item_number": 12,
    "soldout": False,
    "user_name": "amina",
    "created_at": "2026-11-23T13:36:00.123456+00:00",
    "stars": 4.6,
    "reviews": 17,
}
SELLERS_PRODUCT = {**PRODUCT, "payment_mpesa_number": "254712345678"}
_BAD_PARAMETER = field_errors("A parameter cannot be read.")
LINK = OpenApiParameter(
    "Link",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description='`<address>; rel="next"` (RFC 8288) where there is a next page.',
)
_ETAG = OpenApiParameter("ETag", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200, 304])
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` of the answer you have; 304 when nothing has changed since.",
)


#: Given as it is, because an ``OpenApiResponse`` would hide from the generator that it is a list.
_LIST = ProductOutput(many=True)
_LIST_EXAMPLE = OpenApiExample("products", value=PRODUCT, response_only=True, status_codes=[200])


HOME: dict[str, Any] = {
    "operation_id": "home",
    "summary": "Home",
    "tags": ["catalogue"],
    "auth": [],
    "description": "The newest of six categories that can be bought, at most 25 each.",
    "parameters": [_IF_NONE_MATCH, _ETAG],
    "responses": {
        200: OpenApiResponse(
            HomeOutput,
            description="Newest first under each key.",
            examples=[
                OpenApiExample(
                    "home",
                    value={key: [PRODUCT] if key == "kitchen" else [] for key in CATEGORIES},
                )
            ],
        ),
        304: OpenApiResponse(description="Nothing has changed."),
    },
}

CATEGORY: dict[str, Any] = {
    "operation_id": "product_category",
    "summary": "Products of a category",
    "tags": ["catalogue"],
    "auth": [],
    "description": "What can be bought, newest first; `in_stock=false` shows what is sold out.",
    "parameters": [
        OpenApiParameter(
            "category",
            OpenApiTypes.STR,
            OpenApiParameter.PATH,
            enum=[*Category.values, "phonestablet"],
            description="`phonestablet` is another name for `phones`.",
        ),
        LINK,
    ],
    "responses": {
        200: _LIST,
        400: _BAD_PARAMETER,
        404: error_answer("There is no such category.", "category_not_found"),
    },
    "examples": [_LIST_EXAMPLE],
}

SEARCH: dict[str, Any] = {
    "operation_id": "product_search",
    "summary": "Search",
    "tags": ["catalogue"],
    "auth": [],
    "description": (
        "Products whose name or description has every word, as a whole or (from three letters on)"
        " as the beginning of one, newest first, sold out or not. Where nothing does, words are"
        " put right by the names there are: `samsng galxy` finds `Samsung Galaxy`. Without a word"
        " worth looking for, the newest of everything."
    ),
    "parameters": [
        OpenApiParameter(
            "search",
            OpenApiTypes.STR,
            description=f"At most {MAX_TERM} characters; plain text, no operators.",
        ),
        LINK,
    ],
    "responses": {200: _LIST, 400: _BAD_PARAMETER},
    "examples": [_LIST_EXAMPLE],
}

DETAIL: dict[str, Any] = {
    "operation_id": "product",
    "summary": "One product",
    "tags": ["catalogue"],
    "auth": [{}, {"bearer": []}],
    "description": (
        "Sold out or not. With its seller's token, `payment_mpesa_number` is there as well."
    ),
    "parameters": [OpenApiParameter("product_id", OpenApiTypes.INT64, OpenApiParameter.PATH)],
    "responses": {
        200: OpenApiResponse(
            ProductDetailOutput,
            description="The product.",
            examples=[
                OpenApiExample("for anyone", value=PRODUCT),
                OpenApiExample("for its seller", value=SELLERS_PRODUCT),
            ],
        ),
        401: error_answer("Given token not valid for any token type", "token_not_valid"),
        404: error_answer("There is no such product.", "product_not_found"),
    },
}

CART: dict[str, Any] = {
    "operation_id": "cart",
    "summary": "The products in a cart",
    "tags": ["catalogue"],
    "auth": [],
    "description": (
        "The products with these ids, in the order asked, each once; sold out ones are there and"
        " marked. An id that is not in the answer is not for sale (any more). The body is"
        ' `{"ids": […]}` or the bare list, at most 200 ids.'
    ),
    "request": CartInput,
    "examples": [
        OpenApiExample("ids", value={"ids": [41, 7]}, request_only=True),
        _LIST_EXAMPLE,
    ],
    "responses": {
        200: _LIST,
        400: field_errors("The ids cannot be read."),
    },
}
