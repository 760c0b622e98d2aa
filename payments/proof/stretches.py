"""A table in stretches of its key, so that no statement about it takes long.

What one statement asks of a whole table takes minutes in a shop of years, and what it finds has no
bound. How many rows can be asked about at once is seen by asking: a rule that an index answers goes
through a million in a few statements, one that adds up each row's past in a few thousand.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import cache

from django.db import connection
from django.db.models import AutoField, Model, OneToOneField

#: Keys of the first stretch, of the shortest and of the longest.
FIRST, SHORTEST, LONGEST = 2_000, 250, 512_000
#: Seconds: what took less is followed by a longer stretch, what took more by a shorter one, and
#: what took far more is not tried again for so many: the database found another way for it, or was
#: busy with something else.
QUICK, SLOW, TOO_LONG = 0.03, 0.08, 0.3
FOR_SO_MANY = 20
#: Keys of each stretch that is read a row at a time.
EVEN = 100_000

#: The first key of a table and its last; None where its key is no number: such tables are small.
Ends = tuple[int, int] | None
#: A key after which a stretch begins, and its last; without either it is the whole table.
Stretch = tuple[int | None, int | None]
WHOLE: Stretch = (None, None)


def ends_of(models: Iterable[type[Model]]) -> dict[type[Model], Ends]:
    """Where the tables of these models begin and end. One query for all of them."""
    found: dict[type[Model], Ends] = dict.fromkeys(models)
    numbered = tuple(model for model in found if _is_numbered(model))
    if numbered:
        with connection.cursor() as cursor:
            cursor.execute(_question(numbered))
            row = [key or 0 for key in cursor.fetchone()]
        found.update(zip(numbered, zip(row[::2], row[1::2], strict=True), strict=True))
    return found


@cache
def _is_numbered(model: type[Model]) -> bool:
    key = model._meta.pk
    while isinstance(key, OneToOneField):
        key = key.target_field
    return isinstance(key, AutoField)


@cache
def _question(models: tuple[type[Model], ...]) -> str:
    asked, quoted = [], connection.ops.quote_name
    for model in models:
        key, table = quoted(str(model._meta.pk.column)), quoted(model._meta.db_table)
        asked += [f"(SELECT {which}({key}) FROM {table})" for which in ("min", "max")]  # noqa: S608
    return f"SELECT {', '.join(asked)}"


def stretches(ends: Ends) -> Iterator[Stretch]:
    """The stretches between these ends. How long each takes whoever asks decides the next."""
    if ends is None or ends[1] - ends[0] < FIRST:
        yield WHOLE
        return
    start, last = ends[0] - 1, ends[1]
    size, longest, left = FIRST, LONGEST, 0
    while start < last:
        end = min(start + size, last)
        began = time.monotonic()
        yield start, end
        took = time.monotonic() - began
        start = end
        left -= 1
        if took > TOO_LONG:
            longest, left = max(size // 2, SHORTEST), FOR_SO_MANY
        elif not left:
            longest, left = min(longest * 2, LONGEST), FOR_SO_MANY
        if took < QUICK:
            size = min(size * 2, longest)
        elif took > SLOW:
            size = max(size // 2, SHORTEST)


def even_stretches(ends: Ends) -> Iterator[Stretch]:
    """Stretches of one length, for who reads them a row at a time: no statement about one takes
    long, however long it is."""
    if ends is None:
        yield WHOLE
        return
    first, last = ends
    for start in range(first - 1, last, EVEN):
        yield start, min(start + EVEN, last)
