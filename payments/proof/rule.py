"""What a rule is, and the list of them all. Each module beside this one adds its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

#: The clock comes every ten seconds: what it has left alone for so long, it will not find.
FORGOTTEN = timedelta(minutes=5)
OVERDUE = timedelta(minutes=10)

#: Rows that are read by their ids at a time.
CHUNK = 1000

Violations = Callable[[datetime], QuerySet[Any]]
Reading = Callable[[QuerySet[Any]], Iterator[int]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What must be so, and the question for the rows of which it is not.

    The question is compiled once (omachemainproj.compiled_queries): it may take time from the
    moment it is given, and does nothing else with it.
    """

    description: str
    violations: Violations
    #: Of the ids the question finds, those that break the rule, where SQL cannot tell them all.
    only: Callable[[list[int]], list[int]] | None = None
    #: Where SQL can tell none of them: goes through all that the question finds, a row at a time,
    #: and gives the ids of those that break the rule.
    read: Reading | None = None


RULES: list[Rule] = []


def rule(
    description: str,
    *,
    only: Callable[[list[int]], list[int]] | None = None,
    read: Reading | None = None,
) -> Callable[[Violations], Violations]:
    """Enter a question into the list; what it finds breaks the rule, or what ``only`` leaves of it
    or ``read`` finds in it."""

    def enter(violations: Violations) -> Violations:
        RULES.append(Rule(description, violations, only, read))
        return violations

    return enter


def chunks(ids: list[int]) -> Iterator[list[int]]:
    """These ids, CHUNK at a time: what is found of a stretch has no bound."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
