"""Signs of life of the processes that no request reaches: a row a kind, renewed each round."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.dispatch import Signal
from django.utils import timezone

from .models import Heartbeat

logger = logging.getLogger(__name__)

CLOCK = "clock"
WORKER = "worker"
#: A process that was not round for so long is taken for dead.
LATE = timedelta(minutes=1)

#: A process finds that the clock or the workers are not round: nobody else may be there to tell.
found_silent = Signal()


def beat(*processes: str) -> None:
    """Say that these were just round. Never raises; safe to repeat, anywhere, at once."""
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


def missing(now: datetime) -> dict[str, str]:
    """A sentence about each that should be round and was not, within ``LATE``."""
    seen = dict(Heartbeat.objects.values_list("process", "at"))
    wanted = (CLOCK, WORKER) if settings.CELERY_BROKER_URL else (CLOCK,)
    return {
        each: _sentence(each, seen.get(each), now)
        for each in wanted
        if _is_late(seen.get(each), now)
    }


def silent() -> frozenset[str]:
    """Who should be round and is not, as this process found it a few seconds ago. Never raises.

    One query in HEARTBEATS_MAX_AGE seconds, whatever asks; none outside of that. Where somebody is
    found silent, ``found_silent`` is sent, once a minute at most.
    """
    if settings.HEARTBEATS_MAX_AGE is None:
        return frozenset()
    if time.monotonic() - _known.at >= settings.HEARTBEATS_MAX_AGE:
        # First: whoever else asks meanwhile goes by what was found before.
        _known.at = time.monotonic()
        try:
            _known.silent = frozenset(missing(timezone.now()))
        except Exception:
            logger.exception("whether the clock runs could not be found out")
            return frozenset()
    if _known.silent and time.monotonic() - _known.told_at >= LATE.total_seconds():
        _known.told_at = time.monotonic()
        found_silent.send_robust(sender=None)
    return _known.silent


class _Known:
    """What this process has last found, and when, in seconds of its own clock."""

    at = told_at = -1e9
    silent: frozenset[str] = frozenset()


_known = _Known()


def _is_late(at: datetime | None, now: datetime) -> bool:
    return at is None or now - at > LATE


def _sentence(process: str, at: datetime | None, now: datetime) -> str:
    if at is None:
        return f"the {process} has never run"
    return f"the {process} last ran {int((now - at).total_seconds())} seconds ago"
