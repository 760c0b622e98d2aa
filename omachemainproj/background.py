"""Background tasks: what follows a commit, by a Celery worker, or in this process without a broker.

A task is a function that takes a row's id. It may be lost or run twice: the row is the truth, and
the clock (payments.clock) finds every row whose task was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

Task = Callable[[int], None]

#: What a worker may be asked to run, by dotted name. Nothing else can be asked of it.
_tasks: dict[str, Task] = {}


def background_task(function: Task) -> Task:
    """Register a service that takes a row's id and is safe to run twice, anywhere, at once."""
    _tasks[_name(function)] = function
    return function


def enqueue_after_commit(task: Task, row_id: int) -> None:
    """Enqueue a task once the current transaction has committed, or at once outside of one."""
    transaction.on_commit(partial(enqueue, task, row_id), robust=True)


def enqueue(task: Task, row_id: int) -> None:
    """Send a task to a worker, or run it here where there is no broker. Never raises.

    A task that fails here, or cannot be sent, is logged and left to the clock.
    """
    name = _name(task)
    try:
        if settings.CELERY_BROKER_URL:
            # Imported here: a shop without a broker never pays for Celery.
            from .celery import run_in_worker

            run_in_worker.delay(name, row_id)
        else:
            run_task(name, row_id)
    except Exception:
        logger.exception("%s(%s) was put off; the clock will find it", name, row_id)


def run_task(name: str, row_id: int) -> None:
    """Run a task by its dotted name. Raises KeyError for a name that is not registered."""
    _tasks[name](row_id)


def _name(function: Task) -> str:
    return f"{function.__module__}.{function.__qualname__}"
