"""``manage.py prove``: is anything broken in the books?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from payments.proof import prove


class Command(BaseCommand):
    help = (
        "Ask the database whether anything is broken: goods, orders, payments, the ledger. "
        "Changes nothing and locks nothing. Ends with 1 when something is."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        proof = prove()
        for broken in proof.broken:
            self.stdout.write(str(broken))
        if proof.broken:
            sys.exit(1)
        self.stdout.write(
            f"Nothing is broken: {proof.rules} rules, {proof.orders} orders, "
            f"{proof.receipts} receipts."
        )
