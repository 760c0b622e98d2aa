"""A limit on calls a minute, where a simulator is configured to have one."""

import threading
from collections import deque

from .clock import Clock


class RateLimit:
    """Counts the calls of the last sixty seconds. 0 a minute means: no limit.

    Safe from many threads. Source: five status queries a minute, as measured in the sandbox.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._most = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: deque[float] = deque()

    def allow(self) -> bool:
        """Count a call and return whether it is within the limit; one refused does not count."""
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
