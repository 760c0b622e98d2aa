"""SHA-256 of rows, in a form that is the same on every database and in every release."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID


def digest_of(values: Sequence[Any]) -> str:
    """SHA-256, in hex, of values as canonical JSON.

    Values are None, strings, integers, booleans, datetimes (aware; as UTC, in microseconds), UUIDs,
    and lists or tuples of these. Raises TypeError for any other.
    """
    return hashlib.sha256(_WRITER.encode(values).encode()).hexdigest()


def _as_text(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"no digest of a {type(value).__name__}")


#: Shared, since ``prove`` recomputes the digests of all orders.
_WRITER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=_as_text)
