"""Brings forward what the shop would do within hours: ``python -m tools.soak.waits``.

An operator's tool for rehearsals. It decides nothing: it sets the times rows wait for to now, and
clocks that run elsewhere do what they would have done later.
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import timedelta

#: A request to M-Pesa sent this recently may still be under way.
UNDER_WAY = timedelta(seconds=8)


def end_waits(*, expire: bool = False) -> None:
    """End every wait; with ``expire``, that of unpaid orders too. Safe to repeat."""
    from django.db.models import Q
    from django.utils import timezone

    from orders.models import Order
    from payments.models import OrderPayment, Refund, StatementPull

    now = timezone.now()
    rung = OrderPayment.objects.filter(next_check_at__gt=now, rung_at__lt=now - UNDER_WAY)
    lately = Q(checked_at__gt=now - UNDER_WAY)
    rung.exclude(lately).update(next_check_at=now)
    waiting = Refund.objects.filter(next_check_at__gt=now)
    waiting.exclude(sent_at__gt=now - UNDER_WAY).update(next_check_at=now)
    StatementPull.objects.filter(next_pull_at__gt=now).update(next_pull_at=now)
    if expire:
        Order.objects.unpaid().update(expires_at=now)


def count_pending_work() -> dict[str, int]:
    """The clocks' remaining work, in numbers; nothing is best.

    Attempts without an id from M-Pesa are not included: they cannot be queried, and are shown to
    staff after a day.
    """
    from orders.models import Order
    from payments.models import OPEN, GatewayEvent, OrderPayment, Receipt, Refund

    requested = OrderPayment.objects.exclude(checkout_request_id="")
    counts = {
        "unpaid orders": Order.objects.unpaid().count(),
        "messages not acted on": GatewayEvent.objects.filter(state="new").count(),
        "messages being checked": GatewayEvent.objects.filter(state="checking").count(),
        "prompts asked about": requested.filter(
            status__in=OPEN, next_check_at__isnull=False
        ).count(),
        "prompts to send": OrderPayment.objects.unsent().count(),
        "receipts without a number": Receipt.objects.without_number().count(),
        "money of closed orders": Receipt.objects.partial_of_closed_orders().count(),
        "refunds under way": Refund.objects.filter(next_check_at__isnull=False).count(),
    }
    return {what: count for what, count in counts.items() if count}


def settle(*, patience: float, say: Callable[[str], object]) -> bool:
    """Bring waits forward until nothing waits; returns False after ``patience`` seconds."""
    began = time.monotonic()
    calm = 0
    while time.monotonic() - began < patience:
        # First wait for answers; only then expire unpaid orders.
        end_waits(expire=time.monotonic() - began > 5)
        time.sleep(1.5)
        waits = count_pending_work()
        say(f"waiting for: {', '.join(f'{n} {what}' for what, n in waits.items()) or 'nothing'}")
        calm = 0 if waits else calm + 1
        if calm == 3:
            return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patience", type=float, default=300, help="seconds (300)")

    import django

    django.setup()
    if not settle(patience=parser.parse_args().patience, say=lambda line: print(line, flush=True)):
        sys.exit(1)


if __name__ == "__main__":
    main()
