"""The clock's rounds as Celery beat calls them (see CELERY_BEAT_SCHEDULE in the settings)."""

from celery import shared_task

from . import clock


@shared_task
def tick() -> None:
    """One round of every duty."""
    clock.run_periodic()


@shared_task
def housekeep() -> None:
    """The daily round."""
    clock.run_daily()
