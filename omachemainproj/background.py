"""Background tasks: what follows a commit, by a Celery worker, or in this process without one.

A task (task_registry) may be lost or run twice: the row it is about is the truth, and the clock
(payments.clock) finds every row whose task was lost.
"""

from __future__ import annotations

import logging
from functools import partial

from django.conf import settings
from django.db import transaction

from .breaker import Breaker
from .task_registry import Task, name_of, run_task

logger = logging.getLogger(__name__)


def enqueue_after_commit(task: Task, row_id: int) -> None:
    """Enqueue a task once the current transaction has committed, or at once outside of one."""
    transaction.on_commit(partial(enqueue, task, row_id), robust=True)


def enqueue(task: Task, row_id: int) -> None:
    """Send a task to a worker, or run it here where no broker takes it. Never raises.

    A task that fails here is logged and left to the clock.
    """
    name = name_of(task)
    try:
        if not _send_to_worker(name, row_id):
            run_task(name, row_id)
    except Exception:
        logger.exception("%s(%s) was put off; the clock will find it", name, row_id)


#: A buyer waits while a broker that does not answer is waited for: once in a while is enough.
_broker = Breaker("The broker")


def _send_to_worker(name: str, row_id: int) -> bool:
    if not settings.CELERY_BROKER_URL or _broker.is_open:
        return False
    # Imported here: a shop without a broker never pays for Celery.
    from .celery import run_in_worker

    try:
        run_in_worker.delay(name, row_id)
    except Exception as error:
        _broker.open(error)
        return False
    return True
