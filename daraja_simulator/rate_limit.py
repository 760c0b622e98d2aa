"""An optional limit on calls per minute."""

import threading
from collections import deque

from .clock import Clock


class RateLimit:
    """Counts the calls of the last 60 seconds. 0 per minute means no limit. Thread-safe.

    Source: five status queries a minute, as measured in the sandbox.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._most = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: deque[float] = deque()

    def allow(self) -> bool:
        """Return whether a call is within the limit, and count it if so."""
        if not self._most:
            return True
        now = self._clock.seconds()
        with self._lock:
            while self._passed and self._passed[0] <= now - 60:
                self._passed.popleft()
            if len(self._passed) >= self._most:
                return False
            self._passed.append(now)
            return True

    def clear(self) -> None:
        """Forget the calls so far."""
        with self._lock:
            self._passed.clear()
