"""The line that each process logs when it starts: what it is, and how it is set."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import connection

logger = logging.getLogger(__name__)


def log_start(process: str) -> None:
    """Log that a process starts, and with what: names and kinds, and no value that is a secret.

    ``process`` is ``web``, ``worker``, ``beat`` or ``clock``. Asks nothing of the network.
    """
    broker = settings.CELERY_BROKER_URL.partition("://")[0] or "none"
    logger.info(
        "%s starts: %s, database %s, cache %s, broker %s, HTTPS %s, THROTTLES %s, LOCKOUT %s, "
        "STAFF_MFA %s, TRUSTED_PROXIES %s; set by somebody: %s",
        process,
        "production" if settings.PRODUCTION else "laptop",
        connection.vendor,
        settings.CACHES["default"]["BACKEND"].rpartition(".")[2],
        broker,
        *(_on(name) for name in ("HTTPS", "THROTTLES", "LOCKOUT", "STAFF_MFA")),
        settings.TRUSTED_PROXIES,
        " ".join(settings.GIVEN_SETTINGS) or "nothing",
    )


def _on(name: str) -> str:
    return "on" if getattr(settings, name) else "off"
