"""``manage.py restored``: stop outgoing payments because the database was restored."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from payments.reconciliation.portal_statement_import import our_shortcodes, stop_after_restore

from .replay_events import read_time

#: The most that clocks may differ.
AHEAD = timedelta(minutes=5)


class Command(BaseCommand):
    help = (
        "Stop all payouts and refunds after a restore, because what was sent since the backup is "
        "not in the database and would be sent again. deploy/restore runs it automatically. If you "
        "restore in another way (a disk snapshot, pg_restore), run it before any process starts. "
        "Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--backup-taken",
            required=True,
            metavar="TIME",
            help="when the backup was taken, for example 2026-11-23T09:00 (Nairobi time)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        taken, now = read_time(options["backup_taken"]), timezone.now()
        if taken > now + AHEAD:
            raise CommandError(f"{options['backup_taken']} is in the future.")
        stop = stop_after_restore(lost_since=min(taken, now), now=now)
        self.stdout.write(
            f"Outgoing payments are stopped: {stop.reason}\n"
            f"Download M-Pesa's statements of {' and '.join(our_shortcodes())} from the portal, "
            "from then until now, and run: python manage.py read_statement FILE …\n"
            "Then explain the withdrawals on the console, and resume outgoing payments there."
        )
