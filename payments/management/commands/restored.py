"""``manage.py restored``: say that the database is a restored backup, so that nothing leaves."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from payments.reconciliation.statement_recovery import our_numbers, stop_after_restore

from .replay_events import read_time

#: Clocks differ by no more.
AHEAD = timedelta(minutes=5)


class Command(BaseCommand):
    help = (
        "Stop all payouts and refunds of a database that was restored: what was sent since the "
        "backup is in no row of it, and would be sent again. deploy/restore runs it by itself; run "
        "it before any process starts where a database came back in any other way (a snapshot of "
        "the disk, another pg_restore). Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--backup-taken",
            required=True,
            metavar="TIME",
            help="when the backup was taken, as 2026-11-23T09:00 (Nairobi's time unless it says)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        taken, now = read_time(options["backup_taken"]), timezone.now()
        if taken > now + AHEAD:
            raise CommandError(f"{options['backup_taken']} has not come yet.")
        stop = stop_after_restore(lost_since=min(taken, now), now=now)
        self.stdout.write(
            f"Nothing leaves the shop now: {stop.reason}\n"
            f"Download M-Pesa's statements of {' and '.join(our_numbers())} from the portal, from "
            "then until now, and run: python manage.py read_statement FILE …\n"
            "Then explain on the console what it asks about, and let money leave again there."
        )
