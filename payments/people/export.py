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
    """The pieces of the file. A query or two a section, and one more for each 500 rows of it."""
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
    keys = sorted(holding.keys_of(user_id))
    for start in range(0, len(keys), BATCH):
        batch = holding.table._default_manager.filter(pk__in=keys[start : start + BATCH])
        yield from batch.order_by("pk").values(*holding.columns)


def _written(value: Any) -> str:
    return json.dumps(value, cls=_Encoder, ensure_ascii=False)
