"""Threads of a web process that run background tasks in a shop without a broker.

So no request waits for M-Pesa, mail or SMS. Each service has its own threads, so that a slow one
only delays its own tasks. Tasks that are dropped or interrupted are left to the clock.
"""

from __future__ import annotations

import logging
import queue
import threading
import time

from django.db import close_old_connections

from .logs import request_id
from .metrics import TASKS, TASKS_WAITING
from .task_registry import run_task, service_of

logger = logging.getLogger(__name__)

#: Queued tasks per service; more are left to the clock.
MOST_WAITING = 1000

_Job = tuple[str, int, str]


class TaskThreads:
    """A few threads per service, started by its first task, after the process has forked."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._queues: dict[str, queue.Queue[_Job | None]] = {}
        self._running: list[threading.Thread] = []

    def put(self, name: str, row_id: int) -> None:
        """Queue the task ``name`` for a thread. Never waits, never raises."""
        service = service_of(name)
        try:
            waiting = self._queue_of(service)
            waiting.put_nowait((name, row_id, request_id.get()))
            TASKS_WAITING.labels(service).set(waiting.qsize())
        except queue.Full:
            TASKS.labels("left").inc()
            logger.warning(
                "%s(%s) is left to the clock: %d tasks wait for %s",
                name,
                row_id,
                MOST_WAITING,
                service,
            )

    def stop(self, seconds: float) -> None:
        """Drop queued tasks, and wait at most ``seconds`` for running ones."""
        with self._lock:
            for waiting in self._queues.values():
                _empty(waiting)
                for _ in range(self._threads):
                    waiting.put(None)
            running, self._running, self._queues = self._running, [], {}
        until = time.monotonic() + seconds
        for thread in running:
            thread.join(max(0.0, until - time.monotonic()))

    def _queue_of(self, service: str) -> queue.Queue[_Job | None]:
        with self._lock:
            if service not in self._queues:
                waiting: queue.Queue[_Job | None] = queue.Queue(MOST_WAITING)
                self._queues[service] = waiting
                for number in range(self._threads):
                    # A daemon: tasks can safely be interrupted, and the process exits immediately.
                    thread = threading.Thread(
                        target=_work,
                        args=(service, waiting),
                        name=f"{service}-{number}",
                        daemon=True,
                    )
                    thread.start()
                    self._running.append(thread)
            return self._queues[service]


def _work(service: str, waiting: queue.Queue[_Job | None]) -> None:
    while (job := waiting.get()) is not None:
        name, row_id, asked_by = job
        request_id.set(asked_by)
        TASKS_WAITING.labels(service).set(waiting.qsize())
        TASKS.labels("begun").inc()
        try:
            run_task(name, row_id)
        except Exception:
            TASKS.labels("failed").inc()
            logger.exception("%s(%s) was put off; the clock will find it", name, row_id)
        finally:
            # As after a request: idle threads keep no connection.
            close_old_connections()


def _empty(waiting: queue.Queue[_Job | None]) -> None:
    while True:
        try:
            waiting.get_nowait()
        except queue.Empty:
            return
