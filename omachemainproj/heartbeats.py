"""Heartbeats of the clock and the workers: one row per kind, updated each round."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.dispatch import Signal
from django.utils import timezone

from .models import Heartbeat

logger = logging.getLogger(__name__)

CLOCK = "clock"
WORKER = "worker"
#: Characters of the names of failing duties.
_LONGEST_FAILING = 500
#: A process without a heartbeat for this long is considered dead.
LATE = timedelta(minutes=1)
#: The clocks of two hosts differ by less. A heartbeat further ahead is of a clock that was wrong.
CLOCKS_DIFFER = timedelta(minutes=5)

#: Sent when a process finds the clock or the workers silent, since no other process may alert.
heartbeat_missed = Signal()


def beat(*processes: str) -> None:
    """Record a heartbeat of these processes. Never raises; safe to repeat and run concurrently."""
    now = timezone.now()
    try:
        Heartbeat.objects.bulk_create(
            [Heartbeat(process=each, at=now) for each in processes],
            update_conflicts=True,
            unique_fields=["process"],
            update_fields=["at"],
        )
    except Exception:
        logger.exception("a heartbeat could not be written")


def record_failing(duties: Collection[str]) -> None:
    """Record which of the clock's duties failed in this round. Never raises.

    The clock lives on when one of its duties fails in every round, so its heartbeat tells nothing.
    """
    names = " ".join(duties)[:_LONGEST_FAILING]
    try:
        Heartbeat.objects.filter(process=CLOCK).exclude(failing=names).update(failing=names)
    except Exception:
        logger.exception("the duties that failed could not be recorded")


def failing() -> list[str]:
    """The duties that failed in the clock's last round."""
    names = Heartbeat.objects.filter(process=CLOCK).values_list("failing", flat=True).first()
    return (names or "").split()


def missing(now: datetime) -> dict[str, str]:
    """A sentence about each expected process without a heartbeat within ``LATE``."""
    seen = dict(Heartbeat.objects.values_list("process", "at"))
    wanted = (CLOCK, WORKER) if settings.CELERY_BROKER_URL else (CLOCK,)
    return {
        each: _sentence(each, seen.get(each), now)
        for each in wanted
        if _is_late(seen.get(each), now)
    }


def silent_processes() -> frozenset[str]:
    """The expected processes that are silent, cached for a few seconds. Never raises.

    At most one query per HEARTBEATS_MAX_AGE seconds. If a process is silent, ``heartbeat_missed``
    is sent, at most once a minute.
    """
    if settings.HEARTBEATS_MAX_AGE is None:
        return frozenset()
    if time.monotonic() - _known.at >= settings.HEARTBEATS_MAX_AGE:
        # Set first, so that other threads use the previous result meanwhile.
        _known.at = time.monotonic()
        try:
            _known.silent = frozenset(missing(timezone.now()))
        except Exception:
            logger.exception("the heartbeats could not be read")
            return frozenset()
    if _known.silent and time.monotonic() - _known.signalled_at >= LATE.total_seconds():
        _known.signalled_at = time.monotonic()
        heartbeat_missed.send_robust(sender=None)
    return _known.silent


class _LastResult:
    """This process's last result, and its time on the monotonic clock."""

    at = signalled_at = -1e9
    silent: frozenset[str] = frozenset()


_known = _LastResult()


def _is_late(at: datetime | None, now: datetime) -> bool:
    return at is None or not -CLOCKS_DIFFER <= now - at <= LATE


def _sentence(process: str, at: datetime | None, now: datetime) -> str:
    if at is None:
        return f"the {process} has never run"
    if at > now:
        return f"the {process} last ran while the time was wrong, and not since it is right"
    return f"the {process} last ran {int((now - at).total_seconds())} seconds ago"
