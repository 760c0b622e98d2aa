"""The worker and the clock where there is a broker.

``celery -A omachemainproj worker`` runs what requests leave behind, ``celery -A omachemainproj
beat`` the clock. Both only call service functions that are safe to run twice, anywhere, at once.
"""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omachemainproj.settings")

from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .background import run_task

try:
    _ = settings.INSTALLED_APPS
except ImproperlyConfigured as error:
    sys.exit(f"O-Mache cannot start: {error}")

app = Celery("omachemainproj")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.task(name="omachemainproj.perform_duty")
def perform_duty(name: str, row_id: int) -> None:
    """Run one duty in a worker. Delivered at least once; duties are safe to repeat."""
    run_task(name, row_id)
