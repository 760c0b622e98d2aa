"""The clock's rounds as Celery beat calls them (see CELERY_BEAT_SCHEDULE in the settings)."""

from functools import partial

from celery import shared_task

from omachemainproj.heartbeats import CLOCK, WORKER, beat

from . import clock


@shared_task
def tick() -> None:
    """One round of every duty."""
    clock.run_periodic(still_here=partial(beat, CLOCK, WORKER))
    beat(CLOCK, WORKER)


@shared_task(time_limit=900)
def prove() -> None:
    """Some of the night's rules."""
    clock.prove_tonight()


@shared_task
def watch() -> None:
    """A look for trouble."""
    clock.watch_the_shop()


@shared_task
def housekeep() -> None:
    """The daily round."""
    clock.run_daily()
