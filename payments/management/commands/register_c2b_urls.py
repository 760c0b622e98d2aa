"""``manage.py register_c2b_urls``: register the URLs for manual payments (C2B) with M-Pesa."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from omachemainproj.callback_addresses import check_callback_url
from omachemainproj.ip_addresses import is_loopback_url
from payments import gateway
from payments.daraja.errors import DarajaError, DarajaRefusal, DarajaRefused


class Command(BaseCommand):
    help = (
        "Register this shop's URLs for payments to the pay bill (C2B). In production Safaricom "
        "accepts them only once; to change them, first delete them in the portal's URL Management."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--statement-number",
            metavar="PHONE",
            help="also register for the statement (Pull Transactions), with the phone number that "
            "Safaricom has on file for the pay bill",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DARAJA_C2B_TOKEN:
            raise CommandError(
                "Set DARAJA_C2B_TOKEN first, the permanent secret part of the URLs. "
                f"For example: {secrets.token_hex(16)}"
            )
        confirmation, validation = gateway.c2b_url("confirmation"), gateway.c2b_url("validation")
        problem = check_callback_url(confirmation)
        if problem and not is_loopback_url(settings.DARAJA_BASE_URL):
            raise CommandError(f"{problem} See DARAJA_CALLBACK_BASE_URL and DARAJA_C2B_TOKEN.")
        try:
            gateway.daraja().register_c2b_urls(
                confirmation_url=confirmation, validation_url=validation
            )
            self.stdout.write(f"Registered for {settings.DARAJA_SHORTCODE}:")
        except DarajaRefused as refusal:
            if refusal.kind != DarajaRefusal.ALREADY_REGISTERED:
                raise CommandError(f"M-Pesa rejected them: {refusal}") from refusal
            self.stdout.write("M-Pesa already has URLs, but does not report which. They should be:")
        except DarajaError as error:
            raise CommandError(f"M-Pesa gave no clear answer: {error}. Try again.") from error
        self.stdout.write(f"  {confirmation}\n  {validation}")
        if options["statement_number"]:
            self._register_statement(options["statement_number"])

    def _register_statement(self, phone: str) -> None:
        try:
            gateway.daraja().register_pull(
                nominated_number=phone, callback_url=gateway.c2b_url("confirmation")
            )
        except (DarajaError, ValueError) as error:
            raise CommandError(f"Registering for the statement failed: {error}") from error
        self.stdout.write("The statement can now be read.")
