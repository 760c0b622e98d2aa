"""``manage.py read_statement``: take in what statements of M-Pesa's portal show."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from omachemainproj.dates import NAIROBI
from payments.daraja.portal_statement import LONGEST_FILE_BYTES, UnreadableStatement
from payments.models import PayoutStop
from payments.reconciliation.statement_recovery import (
    CannotBeRead,
    Statement,
    open_statement,
    read_statements,
    what_is_missing,
)

from .replay_events import read_time


class Command(BaseCommand):
    help = (
        "Take in statements downloaded from M-Pesa's portal as CSV, the only ones that show what "
        "left. Payments that are new to us are counted; what left is found among refunds and "
        "payouts, or put before a person; what of that came back is money without an order. After "
        "a restore that is what lets money leave again. "
        "Every file is read whole before anything is written; reading one again changes nothing. "
        "Ends with 1 while something is left to do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--shortcode", default="", help="the number, where no file says it")
        parser.add_argument("--from", dest="begins", metavar="TIME", help="as 2026-11-23T09:00")
        parser.add_argument("--to", dest="ends", metavar="TIME", help="where no file says it")

    def handle(self, *args: Any, **options: Any) -> None:
        statements = [self._open(file, options) for file in options["files"]]
        reading = read_statements(statements)
        for statement in statements:
            self.stdout.write(
                f"{statement.shortcode}: {len(statement.file.movements)} movements from "
                f"{statement.begins.astimezone(NAIROBI):%d %b %Y %H:%M} to "
                f"{statement.ends.astimezone(NAIROBI):%d %b %Y %H:%M}, and "
                f"{statement.file.others} charges and moves of our own."
            )
        self.stdout.write(
            f"{reading.payments} payments, {reading.new_payments} of them new to us; "
            f"{reading.withdrawals} withdrawals, {reading.unexplained} wait for a person."
        )
        if reading.returned:
            self.stdout.write(
                f"{reading.returned} that had left came back: money without an order, on the "
                "console."
            )
        if reading.unclear:
            self.stdout.write(
                f"{reading.unclear} came in that by M-Pesa's word for it are no payments: look at "
                "them on the console, among the messages that broke."
            )
        stops = PayoutStop.objects.after_a_restore()
        missing = [sentence for stop in stops for sentence in what_is_missing(stop)]
        for sentence in missing:
            self.stdout.write(sentence)
        if missing:
            raise CommandError("Money may not leave yet.")
        if stops.exists():
            self.stdout.write(
                "All that left since the backup is known. Let money leave again on the console."
            )

    def _open(self, file: Path, options: dict[str, Any]) -> Statement:
        try:
            with file.open("rb") as opened:
                content = opened.read(LONGEST_FILE_BYTES + 1)
            return open_statement(
                content,
                shortcode=options["shortcode"],
                begins=read_time(options["begins"]) if options["begins"] else None,
                ends=read_time(options["ends"]) if options["ends"] else None,
            )
        except (OSError, UnreadableStatement, CannotBeRead) as error:
            raise CommandError(f"{file}: {error} Nothing was taken in.") from error
