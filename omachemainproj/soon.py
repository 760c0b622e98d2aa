"""Work that follows a commit: by a worker where there is a broker, else in this process.

Nothing here may be relied on. Each duty's truth is a row, and the clock finds what was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)


def after_commit(task: Callable[[int], None], row_id: int) -> None:
    """Run ``task(row_id)`` once the current transaction has committed. Never raises then.

    ``task`` is a Celery task; without a broker its function is called directly.
    """
    transaction.on_commit(partial(run_soon, task, row_id), robust=True)


def run_soon(task: Callable[[int], None], row_id: int) -> None:
    """Hand ``task(row_id)`` to a worker, or run it here. Never raises: the clock tries again."""
    try:
        if settings.CELERY_BROKER_URL:
            # Importing the app binds the task to the broker; a web process without one never pays.
            from . import celery  # noqa: F401

            task.delay(row_id)  # type: ignore[attr-defined]
        else:
            task(row_id)
    except Exception:
        logger.exception("%s(%s) was put off; the clock will find it", task, row_id)
