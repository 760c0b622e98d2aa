"""Deletes many rows in batches: a statement may take five seconds, and have so many parameters."""

from __future__ import annotations

import math
import time
from typing import Any

from django.db.models import QuerySet

#: Rows deleted per statement.
BATCH = 1000


def delete_in_batches(rows: QuerySet[Any, Any], *, seconds: float = math.inf) -> int:
    """Delete these rows, in their order; return how many. Safe to repeat and to run concurrently.

    After ``seconds`` no further batch is started; the rest is for the next call.
    """
    deleted, began = 0, time.monotonic()
    keys = rows.values_list("pk", flat=True)
    while time.monotonic() - began <= seconds and (batch := list(keys[:BATCH])):
        # Filtered again: another process may have changed them.
        deleted += rows.filter(pk__in=batch).delete()[0]
    return deleted
