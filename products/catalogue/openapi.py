"""OpenAPI descriptions of the catalogue: inputs, responses, examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
)

from omachemainproj.api.error_schemas import error_answer, field_errors
from products.models import Category
from products.serializers import ProductDetailOutput, ProductOutput

from .home import CATEGORIES as HOME_CATEGORIES
from .representation import FIELDS as HOME_FIELDS
from .representation import LIST_FIELDS
from .search import MAX_TERM
from .serializers import CategoryOutput, HomeOutput, SuggestOutput

PRODUCT: dict[str, Any] = {
    "id": 41,
    "name": "Ramtons cordless kettle 1.7 L",
    "image": "http://127.0.0.1:8000/media/products/3f1c.webp",
    "thumbnail": "http://127.0.0.1:8000/media/products/3f1c.thumb.webp",
    "description": "Boils in four minutes and switches itself off.",
    "category": "kitchen",
    "price": 1850,
    "item_number": 12,
    "available": 10,
    "soldout": False,
    "back_within": None,
    "user_name": "amina",
    "created_at": "2026-11-23T13:36:00.123456+00:00",
    "stars": 4.6,
    "reviews": 17,
}
PICTURES = [
    {
        "id": 7,
        "sizes": [
            {
                "url": "http://127.0.0.1:8000/media/products/3f1c.thumb.webp",
                "width": 400,
                "height": 300,
            },
            {
                "url": "http://127.0.0.1:8000/media/products/3f1c.medium.webp",
                "width": 800,
                "height": 600,
            },
            {
                "url": "http://127.0.0.1:8000/media/products/3f1c.webp",
                "width": 1600,
                "height": 1200,
            },
        ],
        "preview": {
            "url": "http://127.0.0.1:8000/media/products/3f1c.preview.jpg",
            "width": 600,
            "height": 450,
        },
    }
]
_DETAIL = {**PRODUCT, "pictures": PICTURES}
OWN_DETAIL = {**_DETAIL, "payment_mpesa_number": "254712345678", "listed": True}
_BAD_PARAMETER = field_errors("A parameter is invalid.")
LINK = OpenApiParameter(
    "Link",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description=(
        '`<address>; rel="next"` (RFC 8288) if there is a next page, and `rel="prev"` if the'
        " previous page is known."
    ),
)
FIELDS = OpenApiParameter(
    "fields",
    OpenApiTypes.STR,
    description=(
        f"Only these fields of each product, comma-separated: `{'`, `'.join(LIST_FIELDS)}`."
        " `pictures` is included only if requested."
    ),
    examples=[OpenApiExample("a light row", value="id,name,thumbnail,price,available")],
)
_HOME_FIELDS = OpenApiParameter(
    "fields",
    OpenApiTypes.STR,
    description=(
        f"Only these fields of each product, comma-separated: `{'`, `'.join(HOME_FIELDS)}`."
    ),
    examples=[OpenApiExample("light", value="id,name,thumbnail,price,available")],
)
_CORRECTED = OpenApiParameter(
    "Search-Corrected",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description=(
        "If nothing matched the words as typed: the corrected words that were searched for"
        " instead, in UTF-8, with non-ASCII percent-encoded."
    ),
)
_ETAG = OpenApiParameter("ETag", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200, 304])
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` of your stored response; 304 if nothing has changed since.",
)


#: Not in an ``OpenApiResponse``, which would hide from the generator that it is a list.
_LIST = ProductOutput(many=True)
_LIST_EXAMPLE = OpenApiExample("products", value=PRODUCT, response_only=True, status_codes=[200])


HOME: dict[str, Any] = {
    "operation_id": "home",
    "summary": "Home",
    "tags": ["catalogue"],
    "auth": [],
    "description": "The newest products for sale in six categories, at most 25 each.",
    "parameters": [_HOME_FIELDS, _IF_NONE_MATCH, _ETAG],
    "responses": {
        200: OpenApiResponse(
            HomeOutput,
            description="Newest first under each key.",
            examples=[
                OpenApiExample(
                    "home",
                    value={key: [PRODUCT] if key == "kitchen" else [] for key in HOME_CATEGORIES},
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
    "description": (
        "Products for sale, newest first. `in_stock=false` returns sold-out products instead."
    ),
    "parameters": [
        OpenApiParameter(
            "category",
            OpenApiTypes.STR,
            OpenApiParameter.PATH,
            enum=[*Category.values, "phonestablet"],
            description="In any case; `phonestablet` is another name for `phones`.",
        ),
        FIELDS,
        LINK,
    ],
    "responses": {
        200: _LIST,
        400: _BAD_PARAMETER,
        404: error_answer(
            "There is no such category. Choose one of: electronics, furniture, …",
            "category_not_found",
        ),
    },
    "examples": [_LIST_EXAMPLE],
}

SEARCH: dict[str, Any] = {
    "operation_id": "product_search",
    "summary": "Search",
    "tags": ["catalogue"],
    "auth": [],
    "description": (
        "Products whose name or description has every word, either as a whole word or (from three"
        " letters) as its beginning, newest first, including sold-out ones. If nothing matches,"
        " words are corrected to those in product names: `samsng galxy` finds `Samsung Galaxy`."
        " Without searchable words, all products, newest first."
    ),
    "parameters": [
        OpenApiParameter(
            "search",
            OpenApiTypes.STR,
            description=f"At most {MAX_TERM} characters; plain text, no operators.",
        ),
        FIELDS,
        LINK,
        _CORRECTED,
    ],
    "responses": {200: _LIST, 400: _BAD_PARAMETER},
    "examples": [_LIST_EXAMPLE],
}

CATEGORIES: dict[str, Any] = {
    "operation_id": "categories",
    "summary": "List categories",
    "tags": ["catalogue"],
    "auth": [],
    "description": (
        "All eight, in a fixed order: the name of each (`label` follows `Accept-Language`), how"
        " many of its products are for sale, and the newest picture. May be cached for a minute."
    ),
    "responses": {
        200: OpenApiResponse(
            CategoryOutput(many=True),
            description="The categories.",
            examples=[
                OpenApiExample(
                    "phones",
                    value=[
                        {
                            "key": "phones",
                            "label": "Simu na tableti",
                            "labels": {"en": "Phones & tablets", "sw": "Simu na tableti"},
                            "for_sale": 318,
                            "thumbnail": PRODUCT["thumbnail"],
                        }
                    ],
                )
            ],
        ),
        400: _BAD_PARAMETER,
    },
}

SUGGEST: dict[str, Any] = {
    "operation_id": "product_suggest",
    "summary": "Suggestions while typing",
    "tags": ["catalogue"],
    "auth": [],
    "description": (
        "From two letters: searches that have results, likeliest first, and the best-selling"
        " matching products, at most five of each. May be cached for a minute. Has its own rate"
        " limit, separate from the search."
    ),
    "parameters": [
        OpenApiParameter(
            "q", OpenApiTypes.STR, description=f"As typed, at most {MAX_TERM} characters."
        )
    ],
    "responses": {
        200: OpenApiResponse(
            SuggestOutput,
            description="The suggestions. Either list may be empty.",
            examples=[
                OpenApiExample(
                    "kett",
                    value={
                        "words": ["kettle", "kettles"],
                        "products": [
                            {name: PRODUCT[name] for name in ("id", "name", "thumbnail", "price")}
                        ],
                    },
                )
            ],
        ),
        400: _BAD_PARAMETER,
    },
}

DETAIL: dict[str, Any] = {
    "operation_id": "product",
    "summary": "One product",
    "tags": ["catalogue"],
    "auth": [{}, {"bearer": []}],
    "description": (
        "Including sold-out products, with all pictures and their sizes. With its seller's token"
        " the response includes `payment_mpesa_number` and `listed`, and unlisted products are"
        " returned too."
    ),
    "parameters": [OpenApiParameter("product_id", OpenApiTypes.INT64, OpenApiParameter.PATH)],
    "responses": {
        200: OpenApiResponse(
            ProductDetailOutput,
            description="The product.",
            examples=[
                OpenApiExample("for anyone", value=_DETAIL),
                OpenApiExample("for its seller", value=OWN_DETAIL),
            ],
        ),
        404: error_answer("There is no such product.", "product_not_found"),
    },
}

_IDS = {
    "type": "array",
    "items": {"type": "integer", "minimum": 1},
    "maxItems": 200,
    "description": "Ids of products.",
}

CART: dict[str, Any] = {
    "operation_id": "cart",
    "summary": "The products in a cart",
    "tags": ["catalogue"],
    "auth": [],
    "description": (
        "The products with these ids, in the given order, each once, including sold-out ones. An"
        " id that is missing from the response is not listed (any longer). The body is"
        ' `{"ids": […]}` or just the list, with at most 200 ids.'
    ),
    "parameters": [FIELDS],
    "request": {
        "application/json": OpenApiRequest(
            {"oneOf": [_IDS, {"type": "object", "properties": {"ids": _IDS}, "required": ["ids"]}]},
            examples=[
                OpenApiExample("ids", value={"ids": [41, 7]}),
                OpenApiExample("the bare list", value=[41, 7]),
            ],
        )
    },
    "examples": [_LIST_EXAMPLE],
    "responses": {
        200: _LIST,
        400: field_errors("The ids are invalid."),
    },
}


def join_product_addresses(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Merge ``/product/{category}/`` into ``/product/{product_id}/``, a drf-spectacular hook.

    OpenAPI considers the two the same path. It returns one product, or, for the name of a category,
    a list of products.
    """
    lists = result["paths"].pop("/product/{category}/")["get"]
    one = result["paths"]["/product/{product_id}/"]["get"]
    own = {each["name"]: each for each in one["parameters"]}
    (category,) = (each for each in lists["parameters"] if each["name"] == "category")
    own["product_id"] |= {
        "description": "The id of a product, or a category. " + category["description"],
        "schema": {"anyOf": [own["product_id"]["schema"], category["schema"]]},
    }
    others = [
        {**each, "description": f"For a category: {each.get('description', '')}".rstrip(": ")}
        for each in lists["parameters"]
        if each["name"] != "category"
    ]
    one["parameters"] = [*own.values(), *others]
    one["summary"] = "One product, or a category"
    one["description"] = (
        f"With an id: {one['description']}\n\nWith the name of a category: a list."
        f" {lists['description']}"
    )
    for status, answer in lists["responses"].items():
        _join_answers(one["responses"].setdefault(status, answer), answer)
    schemas = result["components"]["schemas"]
    codes = [schemas.pop("ProductCategoryErrorCode"), schemas["ProductErrorCode"]]
    schemas["ProductErrorCode"]["enum"] = sorted({code for each in codes for code in each["enum"]})
    return result


def _join_answers(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Merge the second response's headers, schemas and examples into the first."""
    if one is other:
        return
    one["headers"] = {**other.get("headers", {}), **one.get("headers", {})}
    for media_type, media in other.get("content", {}).items():
        own = one["content"][media_type]
        if "allOf" not in own["schema"]:
            own["schema"] = {"anyOf": [own["schema"], media["schema"]]}
            one["description"] = "The product, or the list."
        own["examples"] = {**media.get("examples", {}), **own.get("examples", {})}
