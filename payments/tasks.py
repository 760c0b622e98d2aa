"""The clock's rounds as Celery tasks (see CELERY_BEAT_SCHEDULE in the settings)."""

from functools import partial

from celery import shared_task

from omachemainproj.heartbeats import CLOCK, WORKER, beat

from . import clock
from .watch.alerts import check_for_incidents

#: Seconds. If M-Pesa and mail hang, every duty that calls them takes a call longer than it may: a
#: round that ended sooner would never come to its last duties.
LONGEST_ROUND = 900
#: Seconds. A large shop deletes for long. A broker gives a task again after an hour.
LONGEST_HOUSEKEEPING = 3000


@shared_task(time_limit=LONGEST_ROUND)
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


@shared_task(time_limit=LONGEST_HOUSEKEEPING)
def housekeep() -> None:
    """Run the daily duties."""
    clock.run_daily()
