"""Warns if the simulator or the clock, which ``runserver`` on a laptop needs, is not running."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone

from . import heartbeats
from .ip_addresses import is_loopback_url

logger = logging.getLogger(__name__)

#: Seconds they have to start: `make run` starts the clock last.
PATIENCE = 20


def warn_of_missing() -> None:
    """On a laptop, log which process is missing and how to start it, after PATIENCE seconds."""
    if settings.PRODUCTION:
        return
    timer = threading.Timer(PATIENCE, _warn)
    timer.daemon = True
    timer.start()


def find_missing() -> Iterator[str]:
    """A sentence per missing process. A gateway on another machine is not checked."""
    gateway = settings.DARAJA_BASE_URL
    if is_loopback_url(gateway) and not _answers(gateway):
        yield (
            f"no M-Pesa answers at {gateway}, so no prompt is sent: "
            "python manage.py daraja_simulator (or make run, which starts all)"
        )
    if heartbeats.missing(timezone.now()):
        yield (
            "no clock is running, so periodic jobs are not run: "
            "python manage.py clock (or make run, which starts all)"
        )


def _warn() -> None:
    is_served = _has_pool()
    # A database that is down is reported elsewhere.
    with suppress(Exception):
        for sentence in find_missing():
            logger.warning(sentence)
    connection.close()
    # A preloading gunicorn runs this before it forks further workers, and a pool's threads do not
    # survive a fork: such a worker would wait for a connection in vain.
    if not is_served and _has_pool():
        cast(Any, connection).close_pool()


def _has_pool() -> bool:
    """Whether this process has opened a pool. Django has no public API for it."""
    return connection.alias in getattr(connection, "_connection_pools", ())


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    with suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False
