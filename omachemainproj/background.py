"""Background tasks, run after a commit by a Celery worker or, without one, by this process.

In a web process its own threads run them (task_threads); elsewhere they run immediately.

A task (task_registry) may be lost or run twice: it works from the state of its row, and the clock
(payments.clock) finds every row whose task was lost.
"""

from __future__ import annotations

import logging
from functools import partial

from django.conf import settings
from django.db import transaction

from . import heartbeats
from .breaker import Breaker
from .task_registry import Task, name_of, run_task
from .task_threads import TaskThreads

logger = logging.getLogger(__name__)

#: Only set in web processes; not in the clock, workers or commands.
_threads: TaskThreads | None = None


def run_tasks_in_threads() -> None:
    """Run this process's tasks in threads, so that requests need not wait. Call after forking."""
    global _threads  # noqa: PLW0603 - one a process, as the process is of one kind
    if settings.TASK_THREADS:
        _threads = TaskThreads(settings.TASK_THREADS)


def stop_task_threads(seconds: float = 20) -> None:
    """Wait at most ``seconds`` for running tasks; queued ones are left to the clock."""
    if _threads:
        _threads.stop(seconds)


def is_awaited() -> bool:
    """Whether ``enqueue`` runs tasks before it returns, as on a laptop."""
    return _threads is None and not settings.CELERY_BROKER_URL


def enqueue_after_commit(task: Task, row_id: int) -> None:
    """Enqueue a task when the current transaction commits, or immediately outside of one."""
    transaction.on_commit(partial(enqueue, task, row_id), robust=True)


def enqueue(task: Task, row_id: int) -> None:
    """Run a task in a worker, else in a thread of this process, else here. Never raises.

    Failures are logged, and the task is left to the clock.
    """
    name = name_of(task)
    try:
        if _send_to_worker(name, row_id):
            return
        if _threads:
            _threads.put(name, row_id)
        else:
            run_task(name, row_id)
    except Exception:
        logger.exception("%s(%s) was put off; the clock will find it", name, row_id)


#: Buyers wait while a broker times out, so it is only tried again after a pause.
task_broker = Breaker("The broker")


def _send_to_worker(name: str, row_id: int) -> bool:
    if not settings.CELERY_BROKER_URL or task_broker.is_open:
        return False
    if heartbeats.WORKER in heartbeats.silent_processes():
        # Without workers the broker would hold the task, and no prompt would be sent.
        return False
    # Imported here: a shop without a broker never pays for Celery.
    from .celery import run_in_worker

    try:
        run_in_worker.delay(name, row_id)
    except Exception as error:
        task_broker.open(error)
        return False
    return True
