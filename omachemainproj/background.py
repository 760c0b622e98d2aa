"""Background tasks: what follows a commit, by a Celery worker or, without one, in this process.

In a web process threads of its own run them (task_threads); anywhere else they are run at once.

A task (task_registry) may be lost or run twice: the row it is about is the truth, and the clock
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

#: A web process's; none in the clock, in a worker, in a command.
_threads: TaskThreads | None = None


def run_tasks_in_threads() -> None:
    """Let no request of this process wait for a task. Forked processes each have threads."""
    global _threads  # noqa: PLW0603 - one a process, as the process is of one kind
    if settings.TASK_THREADS:
        _threads = TaskThreads(settings.TASK_THREADS)


def stop_task_threads(seconds: float = 20) -> None:
    """Wait for the tasks under way, ``seconds`` at most; those that wait are the clock's."""
    if _threads:
        _threads.stop(seconds)


def is_awaited() -> bool:
    """Whether a task has been run when ``enqueue`` returns, as on a laptop, and not beside it."""
    return _threads is None and not settings.CELERY_BROKER_URL


def enqueue_after_commit(task: Task, row_id: int) -> None:
    """Enqueue a task once the current transaction has committed, or at once outside of one."""
    transaction.on_commit(partial(enqueue, task, row_id), robust=True)


def enqueue(task: Task, row_id: int) -> None:
    """Have a task run by a worker, else by a thread of this process, else here. Never raises.

    A task that fails here is logged and left to the clock.
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


#: A buyer waits while a broker that does not answer is waited for: once in a while is enough.
task_broker = Breaker("The broker")


def _send_to_worker(name: str, row_id: int) -> bool:
    if not settings.CELERY_BROKER_URL or task_broker.is_open:
        return False
    if heartbeats.WORKER in heartbeats.silent():
        # The broker would keep it for workers that are not there, and no phone would ring.
        return False
    # Imported here: a shop without a broker never pays for Celery.
    from .celery import run_in_worker

    try:
        run_in_worker.delay(name, row_id)
    except Exception as error:
        task_broker.open(error)
        return False
    return True
