"""``manage.py read_statement``: import statements downloaded from M-Pesa's portal."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from omachemainproj.dates import NAIROBI
from payments.daraja.portal_statement import LONGEST_FILE_BYTES, UnreadableStatement
from payments.models import PayoutStop
from payments.reconciliation.portal_statement_import import (
    CannotBeRead,
    Statement,
    open_statement,
    read_statements,
    reasons_not_to_resume,
)

from .replay_events import read_time


class Command(BaseCommand):
    help = (
        "Import statements downloaded from M-Pesa's portal as CSV, the only ones that show "
        "outgoing money. New payments are recorded. Withdrawals are matched to refunds and payouts "
        "or left to staff, and those that came back become payments without an order. After a "
        "restore this is needed before outgoing payments can resume. All files are read before "
        "anything is written, and reading one again changes nothing. Exits with 1 while something "
        "is left to do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument(
            "--shortcode", default="", help="the short code, if a file does not contain it"
        )
        parser.add_argument(
            "--from", dest="begins", metavar="TIME", help="for example 2026-11-23T09:00"
        )
        parser.add_argument(
            "--to", dest="ends", metavar="TIME", help="if a file does not contain it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        statements = [self._open(file, options) for file in options["files"]]
        reading = read_statements(statements)
        for statement in statements:
            self.stdout.write(
                f"{statement.shortcode}: {len(statement.file.movements)} movements from "
                f"{statement.begins.astimezone(NAIROBI):%d %b %Y %H:%M} to "
                f"{statement.ends.astimezone(NAIROBI):%d %b %Y %H:%M}, and "
                f"{statement.file.others} charges and internal movements."
            )
        self.stdout.write(
            f"{reading.payments} payments, {reading.new_payments} of them new; "
            f"{reading.withdrawals} withdrawals, {reading.unexplained} unexplained."
        )
        if reading.returned:
            self.stdout.write(
                f"{reading.returned} withdrawals came back: see “Payments without an order” on the "
                "console."
            )
        if reading.unclear:
            self.stdout.write(
                f"{reading.unclear} incoming movements are not payments by their type: see "
                "“Messages that could not be processed” on the console."
            )
        stops = PayoutStop.objects.after_a_restore()
        missing = [sentence for stop in stops for sentence in reasons_not_to_resume(stop)]
        for sentence in missing:
            self.stdout.write(sentence)
        if missing:
            raise CommandError("Outgoing payments stay stopped.")
        if stops.exists():
            self.stdout.write(
                "All withdrawals since the backup are known. You can resume outgoing payments on "
                "the console."
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
            raise CommandError(f"{file}: {error} Nothing was imported.") from error
