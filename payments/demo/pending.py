"""Pending work of a simulated day, and shortening its waits.

Nothing is decided here: the times that rows wait for are set to now, and the shop's own clock does
the rest.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from orders.models import Order
from payments.models import OPEN, GatewayEvent, OrderPayment, Payout, ReceiptQuestion, Refund

#: A request sent to M-Pesa within this time may still be in progress.
UNDER_WAY = timedelta(seconds=3)


def count_pending_work(people: list[int]) -> dict[str, int]:
    """Count the pending work for these users; empty if there is none.

    Rows that wait for staff are not counted.
    """
    waiting = {
        "unpaid orders": Order.objects.unpaid().filter(buyer__in=people),
        "prompts": OrderPayment.objects.filter(status__in=OPEN, order__buyer__in=people),
        "messages of M-Pesa": GatewayEvent.objects.to_process(),
        "questions about payments": ReceiptQuestion.objects.filter(
            next_check_at__isnull=False, receipt__order__buyer__in=people
        ),
        "refunds": Refund.objects.filter(next_check_at__isnull=False, order__buyer__in=people),
        "payouts": Payout.objects.filter(next_check_at__isnull=False, seller__in=people),
    }
    counts = {what: rows.count() for what, rows in waiting.items()}
    return {what: count for what, count in counts.items() if count}


def end_waits(people: list[int]) -> None:
    """End all waits of these users: holds, status queries, retries. Safe to repeat."""
    now = timezone.now()
    Order.objects.unpaid().filter(buyer__in=people).update(expires_at=now)
    later = {"next_check_at__gt": now}
    asked_lately = Q(rung_at__gt=now - UNDER_WAY) | Q(checked_at__gt=now - UNDER_WAY)
    prompts = OrderPayment.objects.filter(order__buyer__in=people, **later)
    prompts.exclude(asked_lately).update(next_check_at=now)
    # One that was already sent has its answer on the way.
    queries = ReceiptQuestion.objects.filter(receipt__order__buyer__in=people, **later)
    queries.filter(queries=0).update(next_check_at=now)
    sent_lately = Q(sent_at__gt=now - UNDER_WAY)
    for rows in (
        Refund.objects.filter(order__buyer__in=people, **later),
        Payout.objects.filter(seller__in=people, **later),
    ):
        rows.exclude(sent_lately).update(next_check_at=now)


def ids_of(usernames: list[str]) -> list[int]:
    """The ids of the users with these names."""
    return list(User.objects.filter(username__in=usernames).values_list("pk", flat=True))
