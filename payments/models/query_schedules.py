"""When M-Pesa is asked what became of a request it has said nothing of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A question that was not put says nothing of what it is about: it is put again so often, so long.
ASK_ANEW_AFTER, ASK_ANEW_FOR = timedelta(hours=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class QuerySchedule:
    """Status queries so many seconds after a request was sent, and no two closer than that."""

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

    def ask_anew_at(self, sent_at: datetime, now: datetime) -> datetime | None:
        """When to put the last question again that never came to M-Pesa, or was not answered.

        None once a person has to look, a week after the request was sent.
        """
        return now + ASK_ANEW_AFTER if now < sent_at + ASK_ANEW_FOR else None

    def next_at(self, sent_at: datetime, now: datetime) -> datetime | None:
        """When to ask next after asking now; None when that was the last time."""
        later = (sent_at + timedelta(seconds=seconds) for seconds in self.seconds)
        return next((at for at in later if at > now + self.min_interval), None)


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
