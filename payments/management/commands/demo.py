"""``manage.py demo``: a shop to look at."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from products.demo import ADMIN, BUYERS, PASSWORD, SELLERS, STAFF, furnish


class Command(BaseCommand):
    help = "Adds people, products and pictures to look at. Running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo's passwords are known to everyone: not in production.")
        added = furnish()
        self.stdout.write(
            f"Added {added.people} people and {added.products} products.\n"
            f"Sellers {', '.join(SELLERS)}; buyers {', '.join(BUYERS)}; "
            f"staff {', '.join(STAFF)}; administrator {ADMIN}.\n"
            f"Everyone's password is {PASSWORD}."
        )
