"""When M-Pesa is asked what became of a request it has said nothing of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A question that was not put says nothing of what it is about: it is put again so often, so long,
#: and, where nobody could ask for longer than that, until it was put so many times.
QUERY_AGAIN_AFTER, ASK_ANEW_FOR, ASK_ANEW_TIMES = timedelta(hours=1), timedelta(days=7), 24
#: A question put so long after its time was held up by an outage, and not by a full minute.
HELD_UP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class QuerySchedule:
    """Status queries so many seconds after a request was sent, and no two closer than that.

    What nobody could ask in time (no clock, or a stop) is made up for: a request is never given to
    a person for its age alone, before it was asked about as often as the schedule has times.
    """

    seconds: tuple[int, ...]
    min_interval: timedelta

    @property
    def first(self) -> timedelta:
        """How long after it was sent a request is first asked about."""
        return timedelta(seconds=self.seconds[0])

    @property
    def last(self) -> timedelta:
        """How long after it was sent a request is asked about at least."""
        return timedelta(seconds=self.seconds[-1]) - self.min_interval

    def query_again_at(self, sent_at: datetime, now: datetime, asked: int) -> datetime | None:
        """When to put the last question again that never came to M-Pesa, or was not answered.

        None once a person has to look: a week after the request was sent, and not before the
        question of now is the 24th of all.
        """
        is_over = now >= sent_at + ASK_ANEW_FOR and asked >= ASK_ANEW_TIMES
        return None if is_over else now + QUERY_AGAIN_AFTER

    def next_at(self, sent_at: datetime, now: datetime, asked: int) -> datetime | None:
        """When to ask next after asking now for the ``asked``-th time; None when that was the last.

        After an outage the next question is as far from this one as it would have been in time, an
        hour at most.
        """
        later = (sent_at + timedelta(seconds=seconds) for seconds in self.seconds)
        in_time = next((at for at in later if at > now + self.min_interval), None)
        if asked >= len(self.seconds) or not self._is_held_up(sent_at, now, asked):
            return in_time
        step = timedelta(seconds=self.seconds[asked] - self.seconds[asked - 1])
        made_up = now + min(step, QUERY_AGAIN_AFTER)
        return made_up if in_time is None else min(made_up, in_time)

    def _is_held_up(self, sent_at: datetime, now: datetime, asked: int) -> bool:
        """Whether the question of now, the ``asked``-th, is put long after its time."""
        return sent_at + timedelta(seconds=self.seconds[asked - 1]) <= now - HELD_UP


#: STK pushes. After the last query the statement decides, if it can; else a person. The interval
#: holds whatever strangers post to the webhook.
STK_QUERIES = QuerySchedule(
    (30, 60, 120, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600),
    min_interval=timedelta(seconds=10),
)
#: Refunds and payouts. After the last query a person decides. Reversals have been seen to take
#: hours.
TRANSFER_QUERIES = QuerySchedule(
    (30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600),
    min_interval=timedelta(seconds=20),
)
