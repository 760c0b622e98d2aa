"""The two processes that a laptop's ``runserver`` needs beside it: which of them are missing."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone

from . import heartbeats
from .ip_addresses import is_loopback_url

logger = logging.getLogger(__name__)

#: Seconds that they have to begin: `make run` starts the clock last.
PATIENCE = 20


def warn_of_missing() -> None:
    """On a laptop, log what is missing and how to start it, once they have had time to begin."""
    if settings.PRODUCTION:
        return
    timer = threading.Timer(PATIENCE, _warn)
    timer.daemon = True
    timer.start()


def find_missing() -> Iterator[str]:
    """A sentence about each that does not run. A gateway elsewhere is not looked for."""
    gateway = settings.DARAJA_BASE_URL
    if is_loopback_url(gateway) and not _answers(gateway):
        yield (
            f"no M-Pesa answers at {gateway}, so no phone rings: "
            "python manage.py daraja_simulator (or make run, which starts all)"
        )
    if heartbeats.missing(timezone.now()):
        yield (
            "no clock runs, so nothing that is late is seen to: "
            "python manage.py clock (or make run, which starts all)"
        )


def _warn() -> None:
    # A database that is gone says so itself.
    with suppress(Exception):
        for sentence in find_missing():
            logger.warning(sentence)
    connection.close()


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    with suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False
