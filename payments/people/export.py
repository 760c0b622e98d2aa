"""A user's data as one JSON file, streamed so that any size fits in memory.

``{"as_of": …, "person": […], "addresses": […], …}``: a list of rows for each section of
``payments.people.inventory``, in the order of their keys. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import User

from .inventory import PERSONAL_DATA, PersonalData

#: Rows read and written at a time.
BATCH = 2000


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, bytes | memoryview):
            return bytes(o).decode(errors="replace")
        return super().default(o)


#: Shared by all rows: creating one costs more than encoding most rows. A member per line, because
#: people read it; `indent` takes three times as long.
_BETWEEN = ",\n "
_WRITER = _Encoder(ensure_ascii=False, separators=(_BETWEEN, ": "))


def write_export(user: User, now: datetime) -> Iterator[str]:
    """Yield the file in pieces. One or two queries per section, and one per BATCH of rows."""
    yield f'{{"as_of": {_WRITER.encode(now)}'
    for entry in PERSONAL_DATA:
        yield f",\n\n{_WRITER.encode(entry.section)}: ["
        between = ""
        for rows in _batches(entry, user.pk):
            yield f"{between}{_WRITER.encode(rows)[1:-1]}"
            between = _BETWEEN
        yield "]"
    yield "}\n"


def _batches(entry: PersonalData, user_id: int) -> Iterator[list[dict[str, Any]]]:
    keys = sorted(entry.keys_of(user_id))
    for start in range(0, len(keys), BATCH):
        batch = entry.table._default_manager.filter(pk__in=keys[start : start + BATCH])
        # All of them may have been deleted since.
        if rows := list(batch.order_by("pk").values(*entry.columns)):
            yield rows
