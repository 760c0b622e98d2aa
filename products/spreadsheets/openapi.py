"""OpenAPI descriptions of listings as CSV: the export, the import and its report."""

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
from products.serializers import DownloadOutput, ImportInput, ImportOutput

from .csv_format import COLUMNS, MAX_ROWS

_TAGS = ["selling"]
SHEET = OpenApiExample(
    "one listing",
    value=(
        f"{','.join(COLUMNS)}\r\n41,KET-17,Ramtons cordless kettle 1.7 L,"
        "Boils in four minutes.,kitchen,1850,12,0712345678,true,,9\r\n"
    ),
)

EXPORT: dict[str, Any] = {
    "operation_id": "seller_export",
    "summary": "My products as CSV",
    "tags": _TAGS,
    "description": (
        f"All of the caller's products, newest first, in the columns `{'`, `'.join(COLUMNS)}`:"
        " the file `/seller/products/import/` takes back. UTF-8 with a byte order mark, as Excel"
        " wants it. A text that a spreadsheet would run as a formula, or save as another one"
        " (`00123` as `123`, a barcode as `5.90123E+12`, `1-2` as a date), has an apostrophe"
        " before it, which is taken off again when the file is sent back. `stock_version` changes"
        " with every change of the stock: leave it as it is."
    ),
    "responses": {
        (200, "text/csv"): OpenApiResponse(
            OpenApiTypes.STR,
            description="The file.",
            examples=[SHEET],
        )
    },
}

EXPORT_LINK: dict[str, Any] = {
    "operation_id": "seller_export_link",
    "summary": "A link to my products as CSV",
    "tags": _TAGS,
    "description": (
        "An address that gives the file to whoever opens it, without a token, for a minute: a"
        " browser, or a phone's own downloads, save it without a page that holds all of it."
    ),
    "request": None,
    "responses": {
        201: OpenApiResponse(
            DownloadOutput,
            description="The address.",
            examples=[
                OpenApiExample(
                    "a minute",
                    value={
                        "url": "http://127.0.0.1:8000/seller/products/export/17-9c2e:1w4:Zk3/",
                        "expires_in": 60,
                    },
                )
            ],
        )
    },
}

DOWNLOAD: dict[str, Any] = {
    "operation_id": "seller_download",
    "summary": "A seller's products as CSV, by a link",
    "tags": _TAGS,
    "auth": [],
    "description": (
        "The address that `POST /seller/products/export/` gave out. It is good for a minute, and"
        " ends with the password and the account of whose goods these are."
    ),
    "parameters": [OpenApiParameter("token", OpenApiTypes.STR, OpenApiParameter.PATH)],
    "responses": {
        (200, "text/csv"): OpenApiResponse(
            OpenApiTypes.STR, description="The file.", examples=[SHEET]
        ),
        404: error_answer("This link is not good any more. Ask for another.", "link_expired"),
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
        " `unchanged`. A listing is restocked once for each `stock_version`; in a file without"
        " that column the same `restock` for the same `item_number` counts once. A fresh export,"
        " or an `Idempotency-Key` of its own, says that it is another delivery. Another number for"
        " a `stock_version` that was used fails. Where the stock has moved since the export,"
        " `restock` is added to what is there now, and a note says so.\n\n"
        "What a person's spreadsheet writes is read where it can mean one thing only, and each such"
        " reading is a note: `1,500`, `1500.00`, `KES 1,500`; `722000000` of a new listing; `yes`,"
        " `ndiyo`, `WAHR`. `1.500`, `2.54722E+11` and the like fail. So does a `sku` that looks"
        " cut, or that is another of the caller's as a number (`123` where `00123` is): with an"
        " apostrophe before it, it is taken as it stands. UTF-8, or UTF-16 with its mark; commas,"
        " semicolons or tabs."
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
    "request": {
        "multipart/form-data": ImportInput,
        "text/csv": OpenApiRequest({"type": "string"}, examples=[SHEET]),
    },
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
        400: field_errors(
            "The file cannot be read, and nothing was saved.",
            encoding={"file": ["The file is not UTF-8. In Excel, save it as “CSV UTF-8”."]},
            columns={"file": ["The file has the column price twice."]},
        ),
    },
}
