"""The parts of the OpenAPI document outside of operations, and the names of its components."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_REF = "#/components/schemas/"

#: Conventions and errors of all operations.
OVERVIEW = """\
A marketplace that sells what is there, and accounts for every shilling.

**Lists** are plain arrays of 25 rows (`page_size`, at most 100); the `Link` header has the
URLs of the next and the previous page. **Money** is in whole Kenyan shillings. **Phone numbers**
are accepted in any usual format, and whole numbers also as strings of digits.

**Validation errors** are `{"field": ["…"]}`, nested like the input; all other errors are
`{"detail": "…", "code": "…"}`. Match on codes, which never change, and not on sentences, which are
in English or Swahili (`Accept-Language`). With `Prefer: error-codes`, validation errors include
`codes`.

**Every endpoint** can also respond with 400 (`bad_address`, `bad_request`: the request cannot be
read), 404 (`not_found`), 405 (`method_not_allowed`), 406 (`not_acceptable`), 411
(`length_required`) and, if something failed on our side, 500 (`server_error`) with a `request_id`.
"""
TAGS = {
    "catalogue": "Products on sale; public.",
    "cart": "The price of a cart, with delivery.",
    "cashout": "Placing an order and paying for it.",
    "orders": "The caller's orders.",
    "track": "One line of an order, for its buyer, its seller and the delivery agent.",
    "problems": "Problems that buyers report, and their outcome.",
    "reviews": "Buyers' reviews of products and sellers.",
    "notices": "Notifications to the caller.",
    "selling": "A seller's products, sales and payouts.",
    "delivery": "Parcels, for delivery agents and pick-up points.",
    "pickup-points": "Places where buyers can collect parcels.",
    "account": "Registration, sign-in, and a person's data.",
    "webhooks": "Callbacks of M-Pesa and the banks. Not for clients.",
}
#: The response headers; schema.py says which operations have which.
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The request's ID in our log; quote it when you ask for help.",
        "required": True,
        "schema": {"type": "string", "example": "1f0c9d3a5b7e2468"},
    },
    "Content-Language": {
        "description": "The language of the response: that of `Accept-Language`, else that of the "
        "caller's account.",
        "schema": {"type": "string", "enum": ["en", "sw"]},
    },
    "Retry-After": {
        "description": "Seconds after which the same request may succeed.",
        "schema": {"type": "integer", "minimum": 0, "example": 12},
    },
    "ETag": {
        "description": "Identifies this version of the response, for `If-None-Match`.",
        "schema": {"type": "string", "example": '"0b6cc0d5"'},
    },
    "Cache-Control": {
        "description": "Who may cache the response, and for how long.",
        "schema": {"type": "string", "example": "no-cache"},
    },
    "Link": {
        "description": '`<address>; rel="next"` (RFC 8288) if there is a next page, and '
        '`rel="prev"` if the previous page is known.',
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "The required authentication scheme.",
        "schema": {"type": "string", "example": 'Bearer realm="api"'},
    },
}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add tags, headers and the overview, give components readable names, drop unused ones.

    A drf-spectacular hook; it runs last.
    """
    result["info"]["description"] = OVERVIEW
    result["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
    result["components"]["headers"] = HEADERS
    schemas = result["components"]["schemas"]
    # Some sentences are lazy translations, which become text only when serialised.
    written = json.dumps(result, default=str).replace(
        f'{{"$ref": "{_REF}NullEnum"}}', '{"type": "null"}'
    )
    for name in sorted(schemas, key=len, reverse=True):
        written = written.replace(f'"{_REF}{name}"', f'"{_REF}{_readable(name)}"')
    named = json.loads(written)
    named["components"]["schemas"] = {
        _readable(name): described for name, described in named["components"]["schemas"].items()
    }
    _drop_unused(named)
    _share_examples(named)
    return named


def _readable(name: str) -> str:
    """``EditProductInput`` for ``PatchedEditProductInputRequest``, and the like."""
    if not name.endswith("Request"):
        return name
    plain = name.removesuffix("Request")
    if plain.startswith("Patched"):
        plain = plain.removeprefix("Patched").removeprefix("Edit")
        plain = f"Edit{plain}"
    return re.sub(r"^(.*?)(Input)?(Form|Json)?$", _as_input, plain)


def _as_input(found: re.Match[str]) -> str:
    return f"{found[1]}Input{found[3] or ''}"


def _drop_unused(result: dict[str, Any]) -> None:
    """Remove unreferenced schemas: pages, and bodies that were split by content type."""
    schemas = result["components"]["schemas"]
    while True:
        named = set(re.findall(rf'"{_REF}(\w+)"', json.dumps(result)))
        unused = schemas.keys() - named
        if not unused:
            return
        for name in unused:
            del schemas[name]


def _share_examples(result: dict[str, Any]) -> None:
    """Write an error example once if several operations share it."""
    shared: dict[str, Any] = {}
    for media in _error_media(result["paths"]):
        for name, example in media.get("examples", {}).items():
            value = example["value"]
            if value.keys() != {"detail", "code"}:
                continue
            key = value["code"]
            while shared.setdefault(key, {"value": value})["value"] != value:
                key = f"{key}_"
            media["examples"][name] = {"$ref": f"#/components/examples/{key}"}
    result["components"]["examples"] = dict(sorted(shared.items()))


def _error_media(paths: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in paths.values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    yield from answer.get("content", {}).values()
