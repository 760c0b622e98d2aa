"""A person's data as one JSON file, written while it is read: as long as it is, it fits in memory.

``{"as_of": …, "person": […], "addresses": […], …}``: a list of rows for each section of
``payments.people.inventory``, in the order of their keys. Times are UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import User

from .inventory import HOLDINGS, Holding

#: Rows read at a time.
BATCH = 500


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, bytes | memoryview):
            return bytes(o).decode(errors="replace")
        return super().default(o)


def write_export(user: User, now: datetime) -> Iterator[str]:
    """The pieces of the file. One query a section, and one more for each 500 rows of it."""
    yield f'{{"as_of": {_written(now)}'
    for holding in HOLDINGS:
        yield f", {_written(holding.section)}: ["
        between = ""
        for row in _rows(holding, user.pk):
            yield f"{between}{_written(row)}"
            between = ", "
        yield "]"
    yield "}\n"


def _rows(holding: Holding, user_id: int) -> Iterator[dict[str, Any]]:
    # By the key, and from behind the last one: rows that are added meanwhile move nothing.
    rows = holding.rows_of(user_id).order_by("pk").values("pk", *holding.columns)
    batch = list(rows[:BATCH])
    while batch:
        for row in batch:
            last = row.pop("pk") if "pk" not in holding.columns else row["pk"]
            yield row
        batch = list(rows.filter(pk__gt=last)[:BATCH]) if len(batch) == BATCH else []


def _written(value: Any) -> str:
    return json.dumps(value, cls=_Encoder, ensure_ascii=False)
