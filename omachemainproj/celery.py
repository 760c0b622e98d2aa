"""The Celery app, for shops with a broker: workers and beat.

``celery -A omachemainproj worker`` runs background tasks (omachemainproj.task_registry),
``celery -A omachemainproj beat`` runs the clock (payments.tasks). Both only call service functions
that are safe to repeat and to run concurrently.
"""

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omachemainproj.settings")

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .startup_checks import check_before_start, log_start
from .task_registry import run_task

try:
    _ = settings.INSTALLED_APPS
except ImproperlyConfigured as error:
    sys.exit(f"O-Mache cannot start: {error}")

app = Celery("omachemainproj")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Connecting to this signal stops Celery's own logging, which would bypass the filter that
    masks private data."""


@worker_init.connect
def log_worker_start(**kwargs: Any) -> None:
    _start("worker")


@beat_init.connect
def log_beat_start(**kwargs: Any) -> None:
    _start("beat")


def _start(process: str) -> None:
    try:
        check_before_start(process)
    except ImproperlyConfigured as error:
        sys.exit(f"O-Mache cannot start: {error}")
    log_start(process)


def queue_length() -> int:
    """The number of queued tasks. Raises the broker library's exceptions."""
    with app.connection_for_read() as broker:
        channel: Any = broker.default_channel
        try:
            found = channel.queue_declare(app.conf.task_default_queue, passive=True)
        except broker.channel_errors:
            # Redis has no list for an empty queue, and other brokers none for an unused one.
            return 0
        return int(found.message_count)


@app.task(name="omachemainproj.run_task")
def run_in_worker(name: str, row_id: int) -> None:
    """Run one background task. Delivered at least once; background tasks are safe to repeat."""
    run_task(name, row_id)
