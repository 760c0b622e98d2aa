"""Rounds of periodic work: some rows at a time, each on its own, so that every row has its turn.

Rows find their place in a queue by a query. A row that fails, or that the work leaves as it is,
is still in it in the next round, and must not keep those behind it waiting for ever.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.db.models import QuerySet

logger = logging.getLogger(__name__)

#: Rows from which ``random_sample`` draws.
SAMPLED_FROM = 10_000


_noted: ContextVar[list[int] | None] = ContextVar("noted", default=None)


@contextmanager
def note_failures() -> Iterator[list[int]]:
    """The ids of the rows that fail in this context, in ``do_each``."""
    failed: list[int] = []
    token = _noted.set(failed)
    try:
        yield failed
    finally:
        _noted.reset(token)


class FirstRows:
    """The rows that a compiled query finds, sliced like those of a queryset."""

    def __init__(self, find: Callable[[int], list[int]]) -> None:
        """``find`` returns the first row ids, at most as many as it is given."""
        self._find = find

    def __getitem__(self, first: slice) -> list[int]:
        return self._find(first.stop)


RowIds = QuerySet[Any, int] | FirstRows | list[int]


def do_each(
    work: Callable[[int], object], row_ids: RowIds, *, at_most: int, seconds: float = math.inf
) -> int:
    """Do the work for each row separately; return how many rows it was done for.

    Not counted are rows that fail, which are logged, and those for which it returns False. After
    ``seconds`` no further row is started. Rows that fail do not count towards ``at_most``: they
    come first again in the next round, and those behind them are served all the same.
    """
    done, failed, began = 0, 0, time.monotonic()
    tried = set[int]()
    while batch := [row_id for row_id in row_ids[: at_most + failed] if row_id not in tried]:
        for row_id in batch:
            if len(tried) - failed >= at_most or time.monotonic() - began > seconds:
                return done
            tried.add(row_id)
            try:
                done += work(row_id) is not False
            except Exception:
                logger.exception("%s(%s) failed; it is tried again", _name_of(work), row_id)
                failed += 1
                if (noted := _noted.get()) is not None:
                    noted.append(row_id)
        if not failed:
            break
    return done


def _name_of(work: Callable[[int], object]) -> str:
    whole = work.func if isinstance(work, partial) else work
    return getattr(whole, "__name__", repr(whole))


def random_sample(row_ids: RowIds, number: int) -> list[int]:
    """At most ``number`` of these row ids, chosen at random.

    For rows that may stay as they are: in any fixed order the first of them would keep all others
    waiting for ever.
    """
    ids = list(row_ids[:SAMPLED_FROM])
    return ids if len(ids) <= number else random.sample(ids, number)


def first_and_random(row_ids: RowIds, number: int) -> list[int]:
    """At most ``number`` of these row ids: the first half of them in order, the rest at random.

    For rows that should come in their order, of which some may stay as they are.
    """
    ids = list(row_ids[:SAMPLED_FROM])
    first = number - number // 2
    return ids[:first] + random_sample(ids[first:], number - first)
