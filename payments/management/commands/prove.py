"""``manage.py prove``: is anything broken in the books?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from payments.daraja.errors import DarajaError
from payments.proof.mpesa_books import Comparison, compare_with_mpesa
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

        parser.add_argument(
            "--against-statement",
            action="store_true",
            help="also compare with M-Pesa itself: its statement of the last two days, and what the"
            " shop's numbers hold",
        )
        parser.add_argument(
            "--opening-balance",
            type=int,
            metavar="KES",
            help="what M-Pesa holds that never went through the shop: put in, less taken out and"
            " less its charges. Without it what it holds is shown, and not compared",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        proof = prove()
        lines = [str(broken) for broken in proof.broken]
        if options["against_simulator"]:
            books = _simulators_books()
            with one_moment():
                differences = compare(books)
            lines += _shown(differences)
        found = _mpesas_books(options["opening_balance"]) if options["against_statement"] else None
        if found is not None:
            lines += _shown(found.differences)
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
        if found is not None:
            self.stdout.write(found.summary)


def _shown(differences: list[str]) -> list[str]:
    more = len(differences) - SHOWN
    return differences[:SHOWN] + ([f"… and {more} more differences."] if more > 0 else [])


def _mpesas_books(opening_balance: int | None) -> Comparison:
    if not settings.DARAJA_STATEMENT:
        raise CommandError(
            "M-Pesa's statement is not switched on (DARAJA_STATEMENT): the portal's is the only one"
            " to compare with."
        )
    try:
        return compare_with_mpesa(opening_balance=opening_balance)
    except DarajaError as error:
        raise CommandError(
            f"M-Pesa could not be asked, so nothing was compared with it: {error}. Try again later."
        ) from error


def _simulators_books() -> dict[str, Any]:
    address = f"{settings.DARAJA_BASE_URL}/control/books"
    try:
        response = requests.get(address, timeout=120)
        response.raise_for_status()
        books: dict[str, Any] = response.json()
    except (requests.RequestException, ValueError) as error:
        raise CommandError(f"There is no simulator to ask at {address}: {error}") from error
    return books
