"""The mechanism of a console queue: which rows it holds and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property

from accounts.backoffice.change_list import COUNT_AT_MOST

from .permissions import DECIDE_MONEY, VIEW_MONEY

#: Rows shown per queue; the admin's list holds the others.
_ROWS_SHOWN = 25

#: How a column reads its value from a row: the name of an attribute (``"receipt.number"``), or a
#: function.
Column = str | Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows of one kind that need the same kind of action.

    ``about`` says what they are and what to do. ``listed`` is the admin list that holds all of
    them. ``columns`` maps headings to values; the first column names the row.
    """

    key: str
    title: str
    about: str
    rows: Callable[[datetime], QuerySet[Any]]
    columns: Mapping[str, Column]
    listed: str
    #: No action is needed: these rows resolve automatically.
    for_information: bool = False
    view_permission: str = VIEW_MONEY
    act_permission: str = DECIDE_MONEY

    def count(self, now: datetime) -> int:
        """The number of rows, at most COUNT_AT_MOST. One query."""
        return self.rows(now).order_by()[:COUNT_AT_MOST].count()


class QueueView:
    """A queue at one moment. One query, or two if it has more rows than are shown."""

    def __init__(self, queue: Queue, now: datetime, *, may_act: bool) -> None:
        self.queue, self.may_act = queue, may_act
        self._now = now
        fetched = list(queue.rows(now)[: _ROWS_SHOWN + 1])
        self.rows, self._is_all = fetched[:_ROWS_SHOWN], len(fetched) <= _ROWS_SHOWN

    @cached_property
    def count(self) -> int:
        """The number of rows, at most COUNT_AT_MOST."""
        return len(self.rows) if self._is_all else self.queue.count(self._now)

    @property
    def more(self) -> int:
        """The number of rows that are not shown."""
        return self.count - len(self.rows)

    @property
    def is_cut(self) -> bool:
        """Whether counting stopped at COUNT_AT_MOST."""
        return self.count >= COUNT_AT_MOST

    @property
    def table(self) -> list[tuple[Any, list[tuple[str, Any]]]]:
        """Each row with its cells: pairs of heading and value."""
        readers = [
            (name, column if callable(column) else attrgetter(column))
            for name, column in self.queue.columns.items()
        ]
        return [(row, [(name, read(row)) for name, read in readers]) for row in self.rows]
