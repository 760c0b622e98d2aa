"""Scheduled actions, and the threads that run them."""

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .clock import Clock

logger = logging.getLogger(__name__)


@dataclass(order=True)
class _Job:
    due: float
    number: int
    action: Callable[[], object] = field(compare=False)
    waits_for_person: bool = field(compare=False)


class Scheduler:
    """Runs actions when they are due by the simulator's clock, several in parallel."""

    def __init__(self, clock: Clock, workers: int = 8) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._jobs: list[_Job] = []
        self._numbers = itertools.count()
        self._running = 0
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"simulator-scheduler-{n}", daemon=True)
            for n in range(workers)
        ]

    def start(self) -> None:
        """Start the threads. Call once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Drop scheduled actions and let the threads end, without waiting for running actions."""
        with self._changed:
            self._stopped = True
            self._jobs.clear()
            self._changed.notify_all()

    def add(
        self, seconds: float, action: Callable[[], object], *, waits_for_person: bool = False
    ) -> None:
        """Schedule an action.

        ``wait_until_quiet`` ignores an action that ``waits_for_person`` until it is due.
        """
        with self._changed:
            due = self._clock.seconds() + seconds
            heapq.heappush(self._jobs, _Job(due, next(self._numbers), action, waits_for_person))
            self._changed.notify_all()

    def wake(self) -> None:
        """Re-read the clock after it was moved."""
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        """Drop all scheduled actions that have not started."""
        with self._changed:
            self._jobs.clear()
            self._changed.notify_all()

    def wait_until_quiet(self, timeout: float) -> bool:
        """Wait until nothing is running or scheduled. Returns False after ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(self._is_quiet, timeout)

    def wait_until_nothing_is_due(self, timeout: float) -> bool:
        """Wait until nothing is running or due, ignoring actions scheduled for later.

        Returns False after ``timeout`` seconds.
        """
        with self._changed:
            return self._changed.wait_for(self._is_idle, timeout)

    def _is_idle(self) -> bool:
        now = self._clock.seconds()
        return not self._running and all(job.due > now for job in self._jobs)

    def _is_quiet(self) -> bool:
        now = self._clock.seconds()
        return not self._running and all(
            job.waits_for_person and job.due > now for job in self._jobs
        )

    def _work(self) -> None:
        while (job := self._take()) is not None:
            try:
                job.action()
            except Exception:
                logger.exception("A scheduled action failed")
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def _take(self) -> _Job | None:
        with self._changed:
            while not self._stopped:
                if not self._jobs:
                    self._changed.wait()
                    continue
                wait = self._jobs[0].due - self._clock.seconds()
                if wait <= 0:
                    self._running += 1
                    return heapq.heappop(self._jobs)
                self._changed.wait(wait)
            return None
