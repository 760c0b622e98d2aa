"""The event log, for people to read and for assertions in tests."""

import threading
from collections import deque
from typing import Any

from .clock import Clock

Event = dict[str, Any]


class EventLog:
    """Keeps the newest events, numbered from 1. Thread-safe."""

    def __init__(self, clock: Clock, keep: int = 2_000) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=keep)
        self._last = 0

    def add(self, kind: str, **facts: Any) -> None:
        """Add an event, with its number ``n``, its ``kind`` and the Nairobi time ``at``."""
        at = self._clock.now().isoformat(timespec="milliseconds")
        with self._lock:
            self._last += 1
            self._events.append({"n": self._last, "at": at, "kind": kind, **facts})

    def list(self, *, after: int = 0, kind: str | None = None) -> list[Event]:
        """Return events with a number above ``after``, oldest first, optionally of one kind."""
        with self._lock:
            events = list(self._events)
        return [e for e in events if e["n"] > after and kind in (None, e["kind"])]

    def clear(self) -> None:
        """Forget all events. Numbering continues."""
        with self._lock:
            self._events.clear()
