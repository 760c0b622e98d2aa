"""Bodies that may have files, described once as JSON and once as a form."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

_FILE = "binary"


def has_file(described: dict[str, Any]) -> bool:
    return described.get("format") == _FILE or described.get("items", {}).get("format") == _FILE


def as_form(described: dict[str, Any]) -> dict[str, Any]:
    """The same body as a form: nothing in it is null, and an empty text takes a file away."""
    own = deepcopy(described)
    for name, field in own["properties"].items():
        kind = field.get("type")
        may_be_null = isinstance(kind, list) and "null" in kind
        if may_be_null:
            field["type"] = next(each for each in kind if each != "null")
        if may_be_null and field.get("format") == _FILE:
            text = field.pop("description", "")
            file = {"type": "string", "format": _FILE}
            own["properties"][name] = {"anyOf": [file, {"const": ""}], "description": text}
    return own


def as_json(described: dict[str, Any]) -> dict[str, Any]:
    """The same body as JSON, where a file can be none at all, and a list of them cannot be."""
    own = deepcopy(described)
    for name, field in [*own["properties"].items()]:
        if not has_file(field):
            continue
        if field.get("type") == "array" or name in own.get("required", ()):
            del own["properties"][name]
            own["required"] = [each for each in own.get("required", ()) if each != name]
        else:
            own["properties"][name] = {
                "type": ["string", "null"],
                "description": 'None: `null` or `""`. A picture is sent in a form.',
            }
    if not own.get("required"):
        own.pop("required", None)
    return own
