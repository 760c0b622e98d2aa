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

Task = Callable[[int], None]

#: What a worker may be asked to do, by name. Only functions marked with ``background_task`` are here.
_tasks: dict[str, Task] = {}


def background_task(function: Task) -> Task:
    """Mark a service that takes a row's id and is safe to run twice, anywhere, at once."""
    _tasks[f"{function.__module__}.{function.__qualname__}"] = function
    return function


def run_task(name: str, row_id: int) -> None:
    """Run a duty by its name. Raises KeyError for a name no ``background_task`` has."""
    _tasks[name](row_id)


def enqueue_after_commit(function: Task, row_id: int) -> None:
    """Run a duty once the current transaction has committed, or at once outside of one."""
    transaction.on_commit(partial(enqueue, function, row_id), robust=True)


def enqueue(function: Task, row_id: int) -> None:
    """Hand a duty to a worker, or run it here. Never raises: the clock finds what was put off."""
    name = f"{function.__module__}.{function.__qualname__}"
    try:
        if settings.CELERY_BROKER_URL:
            # Imported here: a shop without a broker never pays for Celery.
            from .celery import perform_duty

            perform_duty.delay(name, row_id)
        else:
            run_task(name, row_id)
    except Exception:
        logger.exception("%s(%s) was put off; the clock will find it", name, row_id)
