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

from .csv_format import COLUMNS, MAX_ROWS
from .serializers import DownloadOutput, ImportInput, ImportOutput

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
        " the file that `/seller/products/import/` accepts. UTF-8 with a byte order mark, for"
        " Excel. A text that a spreadsheet would run as a formula or change (`00123` to `123`, a"
        " barcode to `5.90123E+12`, `1-2` to a date) has an apostrophe before it, which the import"
        " removes. `stock_version` changes with every change of the stock: leave it as it is."
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
        "A download address that needs no token and is valid for a minute. A browser, or a phone's"
        " download manager, can save the file directly."
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
        "The address returned by `POST /seller/products/export/`. It is valid for a minute, and"
        " expires early if the seller changes their password or closes their account."
    ),
    "parameters": [OpenApiParameter("token", OpenApiTypes.STR, OpenApiParameter.PATH)],
    "responses": {
        (200, "text/csv"): OpenApiResponse(
            OpenApiTypes.STR, description="The file.", examples=[SHEET]
        ),
        404: error_answer("This link has expired. Request a new one.", "link_expired"),
    },
}

IMPORT: dict[str, Any] = {
    "operation_id": "seller_import",
    "summary": "Import listings as CSV",
    "tags": _TAGS,
    "description": (
        f"The first row names the columns: `{'`, `'.join(COLUMNS)}`. A row with an `id`, or with"
        " an existing `sku`, changes that listing; an empty cell leaves the value unchanged (except"
        " an empty `description`, which clears it). Any other row is a new listing. `item_number`"
        " is read for new listings only; `restock` adds to the stock. Each row is saved, or fails,"
        f" on its own, as the report shows. At most {MAX_ROWS:,} rows.\n\n"
        "Importing is safe to repeat: the same file lists nothing twice and adds nothing twice. A"
        " new row without a `sku` fails if the caller already has a listing with that name, unless"
        " it is identical, which is reported as `unchanged`. A listing is restocked once per"
        " `stock_version`; in a file without that column, the same `restock` for the same"
        " `item_number` counts once. To add another delivery, use a new export or a new"
        " `Idempotency-Key`. A different number for a `stock_version` that was already used fails."
        " If the stock has changed since the export, `restock` is added to the current stock, and a"
        " note says so.\n\n"
        "Values that spreadsheets have changed are read if they are unambiguous, and each is"
        " reported in a note: `1,500`, `1500.00`, `KES 1,500`; `722000000` for a new listing;"
        " `yes`, `ndiyo`, `WAHR`. Ambiguous or shortened values fail: `1.500`, `2.54722E+11`. So"
        " does a `sku` that looks shortened, or that equals another of the caller's as a number"
        " (`123` and `00123`), unless it has an apostrophe before it. UTF-8, or UTF-16 with a byte"
        " order mark; commas, semicolons or tabs."
    ),
    "parameters": [
        OpenApiParameter(
            "check", OpenApiTypes.BOOL, description="`true` only reports, without saving anything."
        ),
        OpenApiParameter(
            "Idempotency-Key",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description="Each product is restocked once per key.",
        ),
    ],
    "request": {
        "multipart/form-data": ImportInput,
        "text/csv": OpenApiRequest({"type": "string"}, examples=[SHEET]),
    },
    "responses": {
        200: OpenApiResponse(
            ImportOutput,
            description="The file was read. The report has the outcome of each row.",
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
