"""The simulator's clock: Nairobi time, which can be moved forward."""

import threading
import time
from datetime import datetime, timedelta, timezone

#: East Africa Time. Kenya has no summer time, so a fixed offset is exact and needs no time zone
#: database.
EAT = timezone(timedelta(hours=3), "EAT")


class Clock:
    """The time in Nairobi, and a monotonic count of seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = 0.0

    def now(self) -> datetime:
        """Return the date and time in Nairobi, with its time zone."""
        return datetime.now(EAT) + timedelta(seconds=self.ahead)

    def seconds(self) -> float:
        """Return monotonic seconds. Only differences are meaningful."""
        # perf_counter, because tools that freeze the date often freeze time.monotonic too.
        return time.perf_counter() + self.ahead

    @property
    def ahead(self) -> float:
        """How many seconds this clock has been moved forward."""
        with self._lock:
            return self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock forward. Raises ValueError for a step backwards or absurdly far."""
        if not 0 <= seconds <= 366 * 24 * 3600:
            raise ValueError("the clock can only move forward, by at most a year at a time")
        with self._lock:
            self._ahead += seconds


def stamp(moment: datetime) -> str:
    """Format a time as Daraja does: ``YYYYMMDDHHmmss``."""
    return moment.strftime("%Y%m%d%H%M%S")
