"""The Celery app: workers and the beat, where there is a broker.

``celery -A omachemainproj worker`` runs background tasks (omachemainproj.task_registry),
``celery -A omachemainproj beat`` the clock (payments.tasks). Both only call service functions that
are safe to run twice, anywhere, at once.
"""

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omachemainproj.settings")

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .starting import log_start, refuse_unfit
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
    """Celery sets up no logging of its own where somebody listens: lines of it would not pass
    the filter that hides what is private."""


@worker_init.connect
def log_worker_start(**kwargs: Any) -> None:
    _start("worker")


@beat_init.connect
def log_beat_start(**kwargs: Any) -> None:
    _start("beat")


def _start(process: str) -> None:
    try:
        refuse_unfit(process)
    except ImproperlyConfigured as error:
        sys.exit(f"O-Mache cannot start: {error}")
    log_start(process)


def queue_length() -> int:
    """How many tasks wait in the queue. Raises what the broker's library raises."""
    with app.connection_for_read() as broker:
        channel: Any = broker.default_channel
        try:
            found = channel.queue_declare(app.conf.task_default_queue, passive=True)
        except broker.channel_errors:
            # Redis has no list of what is empty, and no other broker a queue nobody has used.
            return 0
        return int(found.message_count)


@app.task(name="omachemainproj.run_task")
def run_in_worker(name: str, row_id: int) -> None:
    """Run one background task. Delivered at least once; background tasks are safe to repeat."""
    run_task(name, row_id)
