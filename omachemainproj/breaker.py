"""A circuit breaker: a service that does not answer is not called for a while."""

from __future__ import annotations

import logging
import time

from .metrics import PAUSES

logger = logging.getLogger(__name__)

#: Seconds without calls after a service failed or was slow.
PAUSE_SECONDS = 10.0


class Breaker:
    """Stops a process from repeatedly calling a service that does not answer."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the service must not be called now."""
        return time.monotonic() < self._until

    def open(self, error: object) -> None:
        """Stop calling the service for ``PAUSE_SECONDS``."""
        self._until = time.monotonic() + PAUSE_SECONDS
        PAUSES.labels(self._service).inc()
        logger.warning(
            "%s does not answer; this process does not call it for %d s: %s",
            self._service,
            PAUSE_SECONDS,
            error,
        )

    def close(self) -> None:
        """Allow calls again."""
        self._until = 0.0
