"""``manage.py clock``: the periodic work of a shop without Celery beat."""

from __future__ import annotations

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections, connection

from omachemainproj.heartbeats import CLOCK, beat
from omachemainproj.startup_checks import check_before_start, log_start
from payments import clock
from payments.watch.alerts import check_for_incidents

logger = logging.getLogger(__name__)

DAY = 24 * 3600.0
MINUTE = 60.0


class Command(BaseCommand):
    help = (
        "Run the periodic jobs: process stored callbacks, query payments without a result, expire "
        "unpaid orders. Several clocks may run concurrently."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run one round and stop")
        parser.add_argument(
            "--every",
            type=float,
            default=10.0,
            metavar="SECONDS",
            help="seconds between rounds (10)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(_describe(clock.run_periodic()) or "There was nothing to do.")
            clock.prove_tonight()
            check_for_incidents()
            clock.run_daily()
            return
        try:
            check_before_start("clock")
        except ImproperlyConfigured as error:
            raise CommandError(f"O-Mache cannot start: {error}") from error
        log_start("clock")
        stopped = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopped.set())
        logger.info("the clock runs every %g seconds", options["every"])
        housekept = watched = -DAY
        proof, daily = BackgroundThread(), BackgroundThread()
        while not stopped.is_set():
            close_old_connections()
            if work := _describe(clock.run_periodic(report_alive=partial(beat, CLOCK))):
                logger.info("clock round: %s", work)
            beat(CLOCK)
            proof.run(clock.prove_tonight)
            if time.monotonic() - watched > MINUTE:
                watched = time.monotonic()
                check_for_incidents()
            if time.monotonic() - housekept > DAY:
                housekept = time.monotonic()
                daily.run(clock.run_daily)
            stopped.wait(options["every"])


class BackgroundThread:
    """A thread for one job at a time that may take longer than a round."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def run(self, work: Callable[[], object]) -> None:
        """Start the job in the thread, unless an earlier one is still running."""
        if self._thread is None or not self._thread.is_alive():
            # A daemon, since its jobs may be interrupted safely.
            self._thread = threading.Thread(target=self._do, args=(work,), daemon=True)
            self._thread.start()

    @staticmethod
    def _do(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connection.close()


def _describe(done: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in done.items() if count)
