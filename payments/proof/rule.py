"""Rules, and the list of them. Each other module of this package adds its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import QuerySet

#: The clock runs every ten seconds, so that anything untouched this long was missed.
FORGOTTEN = timedelta(minutes=5)
OVERDUE = timedelta(minutes=10)

#: IDs read at a time.
CHUNK = 1000

Violations = Callable[[datetime], QuerySet[Any]]
Reading = Callable[[QuerySet[Any]], Iterator[int]]


@dataclass(frozen=True, slots=True)
class Rule:
    """An invariant and the query that finds rows violating it.

    The query is compiled once (omachemainproj.compiled_queries): it may only subtract or add fixed
    durations to the time it is given.
    """

    description: str
    violations: Violations
    #: Filters the ids that the query finds, if SQL alone cannot tell which violate the rule.
    only: Callable[[list[int]], list[int]] | None = None
    #: Reads the rows that the query finds and yields the ids of violations, if SQL cannot tell any.
    read: Reading | None = None


RULES: list[Rule] = []


def rule(
    description: str,
    *,
    only: Callable[[list[int]], list[int]] | None = None,
    read: Reading | None = None,
) -> Callable[[Violations], Violations]:
    """Register a rule: what the query finds violates it, or what ``only`` or ``read`` leaves."""

    def register(violations: Violations) -> Violations:
        RULES.append(Rule(description, violations, only, read))
        return violations

    return register


def chunks(ids: list[int]) -> Iterator[list[int]]:
    """Split ids into lists of CHUNK, since a key range may find any number."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def digests_that_differ(
    rows: QuerySet[Any, tuple[Any, ...]],
    size: int,
    digest: Callable[[Sequence[Any], list[tuple[Any, ...]]], str],
) -> Iterator[int]:
    """Yield the ids of rows whose stored digest is missing or differs from the computed one.

    Each of ``rows`` is an id, the stored digest, ``size`` columns of the row, and the columns of a
    related row. A row with several related rows comes once for each, in succession.
    """
    for pk, group in groupby(rows.iterator(chunk_size=2000), key=itemgetter(0)):
        first, *rest = group
        related = [row[2 + size :] for row in (first, *rest)]
        if first[1] != digest(first[2 : 2 + size], related):
            yield pk
