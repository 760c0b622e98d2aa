"""OpenAPI schemas of bodies with files: one for JSON, one for forms."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

_FILE = "binary"


def has_file(described: dict[str, Any]) -> bool:
    return described.get("format") == _FILE or described.get("items", {}).get("format") == _FILE


def as_form(described: dict[str, Any]) -> dict[str, Any]:
    """The body as a form: no value is null, and an empty text removes a file."""
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
    """The body as JSON: a file can only be null, and lists of files are left out."""
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
