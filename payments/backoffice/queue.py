"""A queue of the console, and what is shown of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property

from accounts.backoffice.admin import COUNT_AT_MOST

from .permissions import ACTING, LOOKING

#: Rows shown of a queue; beyond them its list in the admin is the way.
SHOWN = 25


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows of one kind that wait for one kind of action.

    ``about`` says what they are and what to do. ``listed`` is the admin's list that holds all of
    them. ``columns`` are what is shown of a row by heading, the first is its name.
    """

    key: str
    title: str
    about: str
    rows: Callable[[datetime], QuerySet[Any]]
    columns: Mapping[str, Callable[[Any], Any]]
    listed: str
    #: Nobody has to act: the shop goes on by itself.
    for_information: bool = False
    #: The permission it takes to see it, and the one to act.
    looking: str = LOOKING
    acting: str = ACTING

    def count(self, now: datetime) -> int:
        """How many rows there are, or 1000 when there are more. One query."""
        return self.rows(now).order_by()[:COUNT_AT_MOST].count()


class QueueView:
    """A queue as it stands now. One query; another where there is more than is shown."""

    def __init__(self, queue: Queue, now: datetime, *, may_act: bool) -> None:
        self.queue, self.may_act = queue, may_act
        self._now = now
        fetched = list(queue.rows(now)[: SHOWN + 1])
        self.rows, self._is_all = fetched[:SHOWN], len(fetched) <= SHOWN

    @cached_property
    def count(self) -> int:
        """How many rows there are, or 1000 when there are more."""
        return len(self.rows) if self._is_all else self.queue.count(self._now)

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.rows)

    @property
    def is_cut(self) -> bool:
        """Whether there are more than were counted."""
        return self.count >= COUNT_AT_MOST

    @property
    def table(self) -> list[tuple[Any, list[tuple[str, Any]]]]:
        """Each row with what is shown of it: pairs of a heading and a value."""
        return [
            (row, [(name, read(row)) for name, read in self.queue.columns.items()])
            for row in self.rows
        ]
