"""``manage.py demo``: demo data and a story of orders."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orders.demo import add_delivery
from payments.demo.api_client import DemoError, is_open
from payments.demo.seed import Story
from products.demo.seed import ADMIN, BUYERS, KEEPERS, PASSWORD, SELLERS, STAFF, add_demo_shop


class Command(BaseCommand):
    help = (
        "Add demo users, products and pictures; and, if the shop is running (make run), orders in "
        "every state, payments, deliveries and reviews. Running it again adds only what is "
        "missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--without-story", action="store_true", help="only users and products, no orders"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo's passwords are public, so it cannot run in production.")
        added = add_demo_shop()
        add_delivery("delivery", KEEPERS)
        shop, mpesa = settings.DARAJA_CALLBACK_BASE_URL, settings.DARAJA_BASE_URL
        can_play = not options["without_story"] and is_open(shop, mpesa)
        if any(added) or not can_play:
            self.stdout.write(
                f"Added {added.people} people and {added.products} products.\n"
                f"Sellers {', '.join(SELLERS)}; buyers {', '.join(BUYERS)}; "
                f"staff {', '.join(STAFF)}; administrator {ADMIN}; "
                f"at a pick-up point {', '.join(KEEPERS.values())}.\n"
                f"Everyone's password is {PASSWORD}."
            )
        if can_play:
            self._play(shop, mpesa)
        elif not options["without_story"]:
            self.stdout.write(
                f"No shop is running at {shop} with its M-Pesa at {mpesa}. Use make run to play "
                "the story of orders."
            )

    def _play(self, shop: str, mpesa: str) -> None:
        try:
            for sentence in Story(shop, mpesa).play():
                self.stdout.write(sentence)
        except DemoError as error:
            raise CommandError(f"The story failed: {error}") from error
