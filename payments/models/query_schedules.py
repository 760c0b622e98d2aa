"""Schedules of status queries for requests without a result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A last query that failed proves nothing and is repeated at this interval, for this long, and if
#: querying was not possible for longer than that, until there were this many queries.
QUERY_AGAIN_AFTER, QUERY_AGAIN_FOR, QUERY_AGAIN_TIMES = timedelta(hours=1), timedelta(days=7), 24
#: A query this late was delayed by an outage, not by the queries-per-minute limit.
OVERDUE_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class QuerySchedule:
    """Status queries ``seconds`` after a request was sent, at least ``min_interval`` apart.

    Queries missed in an outage (clock down, or payouts stopped) are made up for: a request is
    handed to staff only after as many queries as the schedule has, not for its age alone.
    """

    seconds: tuple[int, ...]
    min_interval: timedelta

    @property
    def first(self) -> timedelta:
        """Delay of the first query after the request was sent."""
        return timedelta(seconds=self.seconds[0])

    def first_after(self, asked: int) -> timedelta:
        """Delay of the first query after a request that was sent again, after ``asked`` queries.

        It grows, to an hour at most: a request that is rejected each time is not sent incessantly.
        """
        wait = timedelta(seconds=self.seconds[min(asked, len(self.seconds) - 1)])
        return min(wait, QUERY_AGAIN_AFTER)

    @property
    def last(self) -> timedelta:
        """How long after it was sent a request is at least still queried."""
        return timedelta(seconds=self.seconds[-1]) - self.min_interval

    def query_again_at(self, sent_at: datetime, now: datetime, asked: int) -> datetime | None:
        """When to repeat the last query, if it failed or was not answered.

        None once staff have to look: a week after the request was sent, and at least 24 queries.
        """
        is_over = now >= sent_at + QUERY_AGAIN_FOR and asked >= QUERY_AGAIN_TIMES
        return None if is_over else now + QUERY_AGAIN_AFTER

    def next_at(self, sent_at: datetime, now: datetime, asked: int) -> datetime | None:
        """When to query next, after the ``asked``-th query now; None if that was the last.

        After an outage the next query follows at the interval it would have had, at most an hour.
        """
        later = (sent_at + timedelta(seconds=seconds) for seconds in self.seconds)
        in_time = next((at for at in later if at > now + self.min_interval), None)
        if asked >= len(self.seconds) or not self._is_overdue(sent_at, now, asked):
            return in_time
        step = timedelta(seconds=self.seconds[asked] - self.seconds[asked - 1])
        catch_up = now + min(step, QUERY_AGAIN_AFTER)
        return catch_up if in_time is None else min(catch_up, in_time)

    def _is_overdue(self, sent_at: datetime, now: datetime, asked: int) -> bool:
        """Whether the ``asked``-th query, made now, is long overdue."""
        return sent_at + timedelta(seconds=self.seconds[asked - 1]) <= now - OVERDUE_AFTER


#: STK pushes. After the last query the statement decides if it can, else staff. The interval also
#: limits queries triggered by what strangers post to the webhook.
STK_QUERIES = QuerySchedule(
    (30, 60, 120, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600),
    min_interval=timedelta(seconds=10),
)
#: Refunds and payouts. After the last query staff decide. Reversals have been seen to take hours.
TRANSFER_QUERIES = QuerySchedule(
    (30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600),
    min_interval=timedelta(seconds=20),
)
