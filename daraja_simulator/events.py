"""A log of what happened, for tests to assert on and people to read."""

import threading
from collections import deque
from typing import Any

from .clock import Clock

Event = dict[str, Any]


class EventLog:
    """Keeps the newest events, numbered from 1, and forgets the oldest. Safe from many threads."""

    def __init__(self, clock: Clock, keep: int = 2_000) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=keep)
        self._last = 0

    def add(self, kind: str, **facts: Any) -> None:
        """Write one event down, with its number ``n``, its ``kind`` and the Nairobi time ``at``."""
        at = self._clock.now().isoformat(timespec="milliseconds")
        with self._lock:
            self._last += 1
            self._events.append({"n": self._last, "at": at, "kind": kind, **facts})

    def list(self, *, after: int = 0, kind: str | None = None) -> list[Event]:
        """Give the events with a number above ``after``, oldest first, of one kind or of all."""
        with self._lock:
            events = list(self._events)
        return [e for e in events if e["n"] > after and kind in (None, e["kind"])]

    def clear(self) -> None:
        """Forget every event; the numbers go on."""
        with self._lock:
            self._events.clear()
