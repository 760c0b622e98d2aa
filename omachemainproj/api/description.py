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
addresses of other pages. **Money** is whole Kenyan shillings. **Phones** are taken as people write
them, and whole numbers as digits in a text too.

**Errors** about fields are `{"field": ["…"]}`, nested as the input is; all others
`{"detail": "…", "code": "…"}`. Match on codes, which never change, and not on sentences, which are
in English or Swahili (`Accept-Language`). With `Prefer: error-codes` the errors of fields have
`codes` beside them.

**Any address** can also answer 400 (`bad_address`, `bad_request`: it cannot be read), 404
(`not_found`), 405 (`method_not_allowed`), 406 (`not_acceptable`), 411 (`length_required`) and,
where something broke on our side, 500 (`server_error`) with a `request_id`.
"""
TAGS = {
    "catalogue": "What is for sale, for everybody.",
    "cart": "What a cart would cost, brought where.",
    "cashout": "Placing an order and paying for it.",
    "orders": "What the caller ordered.",
    "track": "One line of an order, for its buyer, its seller and who brings it.",
    "problems": "What a buyer says is wrong, and how it is decided.",
    "reviews": "What buyers say of goods and sellers.",
    "notices": "What the caller was told.",
    "selling": "A seller's goods, orders and money.",
    "delivery": "Parcels, for who brings them.",
    "pickup-points": "Where parcels can be fetched.",
    "account": "Joining, signing in, and what is kept of a person.",
    "webhooks": "Where M-Pesa and the banks post. Not for clients.",
}
#: The response headers; schema.py says which operations have which.
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "Names the request in our log; tell it to whom you ask for help.",
        "required": True,
        "schema": {"type": "string", "example": "1f0c9d3a5b7e2468"},
    },
    "Content-Language": {
        "description": "The language of its sentences: that of `Accept-Language`, or else of the "
        "caller's account.",
        "schema": {"type": "string", "enum": ["en", "sw"]},
    },
    "Retry-After": {
        "description": "Seconds after which the same request may do, where time mends it.",
        "schema": {"type": "integer", "minimum": 0, "example": 12},
    },
    "ETag": {
        "description": "Names this very answer, for `If-None-Match`.",
        "schema": {"type": "string", "example": '"0b6cc0d5"'},
    },
    "Cache-Control": {
        "description": "Who may keep the answer, and for how long.",
        "schema": {"type": "string", "example": "no-cache"},
    },
    "Link": {
        "description": '`<address>; rel="next"` (RFC 8288) where there is a next page, and '
        '`rel="prev"` where the one before can be told.',
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "What is asked for.",
        "schema": {"type": "string", "example": 'Bearer realm="api"'},
    },
}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add tags, headers and the overview, give components readable names, drop unused ones.

    A drf-spectacular hook; it runs last.
    """
    result["info"]["description"] = OVERVIEW
    result["tags"] = [{"name": name, "description": said} for name, said in TAGS.items()]
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
