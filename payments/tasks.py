"""The clock's rounds as Celery tasks (see CELERY_BEAT_SCHEDULE in the settings)."""

from functools import partial

from celery import shared_task

from omachemainproj.heartbeats import CLOCK, WORKER, beat

from . import clock


@shared_task
def tick() -> None:
    """Run every duty once."""
    clock.run_periodic(still_here=partial(beat, CLOCK, WORKER))
    beat(CLOCK, WORKER)


@shared_task(time_limit=900)
def prove() -> None:
    """Check some of the nightly rules."""
    clock.prove_tonight()


@shared_task
def watch() -> None:
    """Look for incidents."""
    clock.watch_the_shop()


@shared_task
def housekeep() -> None:
    """Run the daily duties."""
    clock.run_daily()
