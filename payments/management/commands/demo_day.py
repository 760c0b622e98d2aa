"""``manage.py demo_day``: simulate a day of trading and check the books afterwards."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from payments.demo.api_client import DemoError, is_open
from payments.demo.closing import Books, summary, wait_until_settled
from payments.demo.pending import ids_of
from payments.demo.progress import Progress
from payments.demo.temporary_shop import play_in_temporary_shop
from payments.demo.trading_day import MAX_ORDERS, TradingDay
from products.demo.seed import add_people

#: Seconds to wait until everything is settled, and more for each order.
PATIENCE, FOR_AN_ORDER = 90, 0.5
#: The shop's float for payouts at the beginning of the day, KES.
FLOAT = 1_000_000
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Command(BaseCommand):
    help = (
        "Simulate a day of trading through the API and the M-Pesa simulator, then compare the "
        "books to the shilling. Uses the running shop (make run), or a temporary one. Exits with 1 "
        "if anything is broken."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--orders", type=int, default=60, help="number of orders (60)")
        parser.add_argument("--seed", type=int, default=1, help="random seed of the day (1)")
        parser.add_argument(
            "--speed",
            type=float,
            default=0,
            metavar="ORDERS",
            help="at most this many orders per second (no limit)",
        )
        parser.add_argument(
            "--own",
            action="store_true",
            help="use a temporary shop, with a database that is deleted afterwards",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("A simulated day of trading cannot run in production.")
        if not 1 <= options["orders"] <= MAX_ORDERS or options["speed"] < 0:
            raise CommandError(f"--orders must be 1 to {MAX_ORDERS}, --speed 0 or more.")
        try:
            if options["own"] or not self._is_open():
                passed_on = [f"--{name}={options[name]}" for name in ("orders", "seed", "speed")]
                sys.exit(play_in_temporary_shop(*passed_on, say=self.stdout.write))
            self._play(options)
        except DemoError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. The shop finishes what was started.") from None

    def _is_open(self) -> bool:
        shop, mpesa = settings.DARAJA_CALLBACK_BASE_URL, settings.DARAJA_BASE_URL
        found = is_open(shop, mpesa)
        if not found:
            self.stdout.write(f"No shop is running at {shop} with its M-Pesa at {mpesa}.")
        return found

    def _play(self, options: dict[str, Any]) -> None:
        began = time.monotonic()
        shop, mpesa = settings.DARAJA_CALLBACK_BASE_URL, settings.DARAJA_BASE_URL
        add_people()
        day = TradingDay(shop, mpesa, orders=options["orders"], seed=options["seed"], mark=_mark())
        books = Books(day.phones)
        if books.differed_before:
            self.stdout.write(
                f"The books already differed by {books.differed_before} receipts: the database or "
                "the simulator's books were reset. Only changes of this day are compared."
            )
        day.phones.fill_float(settings.DARAJA_B2C_SHORTCODE, FLOAT)
        day.open()
        people = ids_of(day.usernames)
        if len(people) < len(day.usernames):
            raise DemoError(f"{shop} uses another database. Set DATABASE_URL to it.")
        self.stdout.write(f"{len(day.sellers)} sellers and {len(day.buyers)} buyers have joined.")
        day.play(Progress(self.stdout, options["orders"], "orders"), a_second=options["speed"])
        patience = PATIENCE + FOR_AN_ORDER * options["orders"]
        wait_until_settled(people, patience=patience, say=self.stdout.write)
        for line in summary(people, day.actions):
            self.stdout.write(line)
        self.stdout.write(f"Seed {day.seed}, {time.monotonic() - began:.0f} seconds.")
        if not books.differed_before:
            call_command("prove", "--against-simulator", stdout=self.stdout)
            return
        broken = books.broken()
        for line in broken:
            self.stdout.write(line)
        if broken:
            sys.exit(1)
        self.stdout.write("Nothing is broken, and the books agree about the changes of this day.")


def _mark() -> str:
    """A unique mark for this day: the time, in letters and digits."""
    left, word = time.time_ns() // 10**8, ""
    while left:
        left, digit = divmod(left, 36)
        word = _DIGITS[digit] + word
    return word
