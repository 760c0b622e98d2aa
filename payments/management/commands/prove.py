"""``manage.py prove``: is anything broken in the books?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from payments.proof.prove import one_moment, prove
from payments.proof.simulator_books import compare

#: Differences that are shown; the rest is counted.
SHOWN = 50


class Command(BaseCommand):
    help = (
        "Ask the database whether anything is broken: goods, orders, payments, the ledger. "
        "Changes nothing and locks nothing. Ends with 1 when something is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--against-simulator",
            action="store_true",
            help="also compare with the books of the simulator at DARAJA_BASE_URL, to the shilling",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        proof = prove()
        lines = [str(broken) for broken in proof.broken]
        if options["against_simulator"]:
            books = _simulators_books()
            with one_moment():
                differences = compare(books)
            lines += differences[:SHOWN]
            if len(differences) > SHOWN:
                lines.append(f"… and {len(differences) - SHOWN} more differences.")
        for line in lines:
            self.stdout.write(line)
        if lines:
            sys.exit(1)
        self.stdout.write(
            f"Nothing is broken: {proof.rules} rules, {proof.orders} orders, "
            f"{proof.receipts} receipts, {proof.refunds} refunds, {proof.payouts} payouts."
        )
        if options["against_simulator"]:
            self.stdout.write(
                f"The simulator's books agree: {len(books['entries'])} movements, "
                f"KES {books['received']} in, KES {books['paid_out']} out."
            )


def _simulators_books() -> dict[str, Any]:
    address = f"{settings.DARAJA_BASE_URL}/control/books"
    try:
        response = requests.get(address, timeout=120)
        response.raise_for_status()
        books: dict[str, Any] = response.json()
    except (requests.RequestException, ValueError) as error:
        raise CommandError(f"There is no simulator to ask at {address}: {error}") from error
    return books
