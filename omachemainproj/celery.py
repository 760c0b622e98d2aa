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

from .starting import log_start
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
    log_start("worker")


@beat_init.connect
def log_beat_start(**kwargs: Any) -> None:
    log_start("beat")


@app.task(name="omachemainproj.run_task")
def run_in_worker(name: str, row_id: int) -> None:
    """Run one background task. Delivered at least once; background tasks are safe to repeat."""
    run_task(name, row_id)
