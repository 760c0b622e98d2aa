"""What needs a person, as it stands now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import cached_property

from payments.models import GatewayEvent

from .queues import COUNT_AT_MOST, QUEUES, Queue

#: Rows shown of a section.
SHOWN = 25


class QueueView:
    """A section as it stands now. One query; another where there is more than is shown."""

    def __init__(self, section: Queue, now: datetime) -> None:
        self.section = section
        self._now = now
        fetched = list(section.rows(now)[: SHOWN + 1])
        self.rows, self._is_all = fetched[:SHOWN], len(fetched) <= SHOWN

    @cached_property
    def count(self) -> int:
        """How many there are, or 1000 when there are more."""
        return len(self.rows) if self._is_all else self.section.count(self._now)

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
            (row, [(name, read(row)) for name, read in self.section.columns.items()])
            for row in self.rows
        ]


def load_queues(now: datetime | None = None) -> tuple[list[QueueView], list[QueueView]]:
    """What needs a person, and what is only to know of. One query a section, or two."""
    now = now or timezone.now()
    shown = [QueueView(section, now) for section in QUEUES]
    return (
        [each for each in shown if not each.section.for_information],
        [each for each in shown if each.section.for_information],
    )


def count_open(now: datetime | None = None) -> int:
    """How many things need a person; no section counts for more than 1000. One query a section."""
    now = now or timezone.now()
    return sum(section.count(now) for section in QUEUES if not section.for_information)


def count_unsolicited() -> int:
    """Messages at prompts' addresses that are about nothing of ours; 1000 when there are more."""
    return GatewayEvent.objects.unsolicited().order_by()[:COUNT_AT_MOST].count()
