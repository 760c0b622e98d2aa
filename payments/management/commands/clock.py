"""``manage.py clock``: the periodic work of a shop without Celery beat."""

from __future__ import annotations

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from omachemainproj.starting import log_start
from payments import clock

logger = logging.getLogger(__name__)

DAY = 24 * 3600.0


class Command(BaseCommand):
    help = (
        "Run the clock: apply kept callbacks, ask about silent payments, expire unpaid orders. "
        "Any number of clocks may run at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run one round and stop")
        parser.add_argument(
            "--every", type=float, default=10.0, metavar="SECONDS", help="between rounds (10)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self._report(clock.run_periodic())
            clock.run_daily()
            return
        log_start("clock")
        stopped = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopped.set())
        self.stdout.write(f"The clock runs every {options['every']:g} seconds.")
        housekept = -DAY
        while not stopped.is_set():
            close_old_connections()
            self._report(clock.run_periodic())
            if time.monotonic() - housekept > DAY:
                housekept = time.monotonic()
                self._housekeep()
            stopped.wait(options["every"])

    def _report(self, done: dict[str, int]) -> None:
        if any(done.values()):
            told = ", ".join(f"{name} {count}" for name, count in done.items() if count)
            self.stdout.write(told)

    def _housekeep(self) -> None:
        try:
            clock.run_daily()
        except Exception:
            logger.exception("housekeeping failed; it tries again tomorrow")
