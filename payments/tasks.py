"""The clock's rounds as Celery tasks (see CELERY_BEAT_SCHEDULE in the settings)."""

from functools import partial

from celery import shared_task

from omachemainproj.heartbeats import CLOCK, WORKER, beat

from . import clock
from .watch.alerts import check_for_incidents


@shared_task
def tick() -> None:
    """Run every duty once."""
    clock.run_periodic(report_alive=partial(beat, CLOCK, WORKER))
    beat(CLOCK, WORKER)


@shared_task(time_limit=900)
def prove() -> None:
    """Check some of the nightly rules."""
    clock.prove_tonight()


@shared_task
def watch() -> None:
    """Look for incidents."""
    check_for_incidents()


@shared_task
def housekeep() -> None:
    """Run the daily duties."""
    clock.run_daily()
