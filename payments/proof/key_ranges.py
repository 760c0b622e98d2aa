"""Splits a table into key ranges, so that no statement takes long.

In an old shop one statement about a whole table would take minutes. The length of a range adapts to
the time it takes: a rule that an index answers covers a million keys in a few statements, one that
sums up each row's history needs a few thousand statements.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import cache

from django.db import connection
from django.db.models import AutoField, Model, OneToOneField

#: Keys in the first range, the shortest and the longest.
FIRST_KEYS, SHORTEST_KEYS, LONGEST_KEYS = 2_000, 250, 512_000
#: After a range that took less than the first, the next is longer; after more than the second,
#: shorter. A length that took more than the third is avoided for some ranges: the database chose
#: another plan, or was busy.
QUICK_SECONDS, SLOW_SECONDS, TOO_LONG_SECONDS = 0.03, 0.08, 0.3
COOLDOWN_RANGES = 20
#: Keys in each range that is read row by row.
EVEN_KEYS = 100_000

#: The first and last key of a table; None if its key is not a number (such tables are small).
Ends = tuple[int, int] | None
#: The key before the range, and its last key; (None, None) is the whole table.
KeyRange = tuple[int | None, int | None]
WHOLE: KeyRange = (None, None)


def ends_of(models: Iterable[type[Model]]) -> dict[type[Model], Ends]:
    """The first and last keys of these models. One query."""
    ends: dict[type[Model], Ends] = dict.fromkeys(models)
    numbered = tuple(model for model in ends if _is_numbered(model))
    if numbered:
        with connection.cursor() as cursor:
            cursor.execute(_min_max_sql(numbered))
            row = [key or 0 for key in cursor.fetchone()]
        ends.update(zip(numbered, zip(row[::2], row[1::2], strict=True), strict=True))
    return ends


@cache
def _is_numbered(model: type[Model]) -> bool:
    key = model._meta.pk
    while isinstance(key, OneToOneField):
        key = key.target_field
    return isinstance(key, AutoField)


@cache
def _min_max_sql(models: tuple[type[Model], ...]) -> str:
    columns, quoted = [], connection.ops.quote_name
    for model in models:
        key, table = quoted(str(model._meta.pk.column)), quoted(model._meta.db_table)
        columns += [f"(SELECT {which}({key}) FROM {table})" for which in ("min", "max")]  # noqa: S608
    return f"SELECT {', '.join(columns)}"


def key_ranges(ends: Ends) -> Iterator[KeyRange]:
    """Yield key ranges between these ends. The time the caller takes for one sets the next."""
    if ends is None or ends[1] - ends[0] < FIRST_KEYS:
        yield WHOLE
        return
    start, last = ends[0] - 1, ends[1]
    size, longest, left = FIRST_KEYS, LONGEST_KEYS, 0
    while start < last:
        end = min(start + size, last)
        began = time.monotonic()
        yield start, end
        took = time.monotonic() - began
        start = end
        left -= 1
        if took > TOO_LONG_SECONDS:
            longest, left = max(size // 2, SHORTEST_KEYS), COOLDOWN_RANGES
        elif not left:
            longest, left = min(longest * 2, LONGEST_KEYS), COOLDOWN_RANGES
        if took < QUICK_SECONDS:
            size = min(size * 2, longest)
        elif took > SLOW_SECONDS:
            size = max(size // 2, SHORTEST_KEYS)


def even_key_ranges(ends: Ends) -> Iterator[KeyRange]:
    """Yield key ranges of a fixed length, for callers that read row by row."""
    if ends is None:
        yield WHOLE
        return
    first, last = ends
    for start in range(first - 1, last, EVEN_KEYS):
        yield start, min(start + EVEN_KEYS, last)
