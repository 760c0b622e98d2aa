"""``manage.py prove``: check the integrity rules of the database."""

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

#: Differences shown; the others are counted.
_SHOWN = 50


class Command(BaseCommand):
    help = (
        "Check whether anything in the database is broken: stock, orders, payments, the ledger. "
        "Changes and locks nothing. Exits with 1 if something is broken."
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
            help="also compare with M-Pesa: its statement of the last two days, and the balances of"
            " the shop's numbers",
        )
        parser.add_argument(
            "--opening-balance",
            type=int,
            metavar="KES",
            help="what M-Pesa holds that is not in the ledger: deposits minus withdrawals and "
            "charges. Without it the balances are shown, but not compared",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        proof = prove()
        lines = [str(broken) for broken in proof.broken]
        if options["against_simulator"]:
            books = _read_simulator_books()
            with one_moment():
                differences = compare(books)
            lines += _shown(differences)
        found = (
            _compare_with_mpesa(options["opening_balance"])
            if options["against_statement"]
            else None
        )
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
    more = len(differences) - _SHOWN
    return differences[:_SHOWN] + ([f"… and {more} more differences."] if more > 0 else [])


def _compare_with_mpesa(opening_balance: int | None) -> Comparison:
    if not settings.DARAJA_STATEMENT:
        raise CommandError(
            "M-Pesa's statement is not enabled (DARAJA_STATEMENT). Use the portal's statement"
            " instead."
        )
    try:
        return compare_with_mpesa(opening_balance=opening_balance)
    except DarajaError as error:
        raise CommandError(
            f"M-Pesa could not be queried, so nothing was compared: {error}. Try again later."
        ) from error


def _read_simulator_books() -> dict[str, Any]:
    address = f"{settings.DARAJA_BASE_URL}/control/books"
    try:
        response = requests.get(address, timeout=120)
        response.raise_for_status()
        books: dict[str, Any] = response.json()
    except (requests.RequestException, ValueError) as error:
        raise CommandError(f"No simulator answers at {address}: {error}") from error
    return books
