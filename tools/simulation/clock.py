"""Virtual time, shared by the shop and the simulated Safaricom."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import time_machine

from daraja_simulator.clock import EAT, Clock
from daraja_simulator.scheduler import Scheduler

from .chance import Chance

#: A Monday morning in Nairobi.
BEGINNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


class VirtualClock(Clock):
    """The simulator's clock, showing the run's virtual time."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def now(self) -> datetime:
        return datetime.now(EAT)

    def seconds(self) -> float:
        return self._time.passed


class SeededScheduler(Scheduler):
    """The simulator's scheduler without threads: a random due job runs next."""

    def __init__(self, clock: Clock, chance: Chance) -> None:
        super().__init__(clock, workers=0)
        self._chance = chance

    @property
    def next_due(self) -> float | None:
        return self._jobs[0].due if self._jobs else None

    def run_one(self) -> bool:
        """Run one due job. Returns whether there was one."""
        now = self._clock.seconds()
        due = [job for job in sorted(self._jobs) if job.due <= now]
        if not due:
            return False
        job = self._chance.choice(due)
        self._jobs.remove(job)
        heapq.heapify(self._jobs)
        job.action()
        return True


class Time:
    """Advances the clocks of the shop and Safaricom together, and runs what becomes due."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.scheduler: SeededScheduler | None = None
        self._traveller = time_machine.travel(BEGINNING, tick=False)
        self._shift: Callable[[timedelta], None] | None = None

    def __enter__(self) -> Time:
        self._shift = self._traveller.start().shift
        return self

    def __exit__(self, *error: object) -> None:
        self._traveller.stop()

    def advance(self, seconds: float) -> None:
        """Let time pass, running Safaricom's scheduled jobs meanwhile."""
        assert self.scheduler is not None
        until = round(self.passed + seconds, 3)
        while True:
            due = self.scheduler.next_due
            if due is None or due > until:
                break
            self._move_to(due)
            self.scheduler.run_one()
        self._move_to(until)

    def _move_to(self, passed: float) -> None:
        # A due job may itself have let time pass.
        assert self._shift is not None
        if passed > self.passed:
            self._shift(timedelta(seconds=passed - self.passed))
            self.passed = passed
