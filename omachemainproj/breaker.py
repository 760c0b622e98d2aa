"""A circuit breaker: a service that does not answer is left alone for a while."""

from __future__ import annotations

import logging
import time

from .metrics import PAUSES

logger = logging.getLogger(__name__)

#: Seconds for which a service is left alone after it failed or was slow.
PAUSE_SECONDS = 10.0


class Breaker:
    """Keeps a process from asking a service again and again that does not answer."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the service is left alone now."""
        return time.monotonic() < self._until

    def open(self, error: object) -> None:
        """Leave it alone for ``PAUSE_SECONDS``."""
        self._until = time.monotonic() + PAUSE_SECONDS
        PAUSES.labels(self._service).inc()
        logger.warning(
            "%s does not answer, this process does without for %d s: %s",
            self._service,
            PAUSE_SECONDS,
            error,
        )

    def close(self) -> None:
        """Ask it again."""
        self._until = 0.0
