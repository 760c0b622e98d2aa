"""The clock: every periodic duty, safe to run anywhere, twice, at once.

``manage.py clock`` runs a round in a loop; Celery beat runs the same rounds where there is a
broker. Each duty's truth is its own rows, so whatever was lost is found here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.tokens import delete_expired_tokens
from orders.fulfilment import auto_confirm_deliveries
from orders.lifecycle import expire_unpaid_orders
from orders.models.notifications import Message, Notice
from orders.notifications.rendering import compose
from orders.notifications.sending import send_message

from .checkout.stk_push import expire_stk_pushes, send_stk_push
from .disbursement import process_payout, process_refund
from .models import GatewayEvent, OrderPayment, Payout, Receipt, Refund
from .payouts.services import create_payouts, sellers_to_pay
from .reconciliation.outcomes import sync_order_with_payment
from .reconciliation.statement_pull import fail_attempts_not_on_statement, pull_statement
from .reconciliation.status_query import delete_old_budgets, query_status
from .refunds.services import refund_excess
from .webhooks.inbox import process_event

logger = logging.getLogger(__name__)

#: Rows one duty takes in one round; the rest waits for the next.
BATCH = 200
#: Seconds after which a duty begins nothing more in this round: when M-Pesa hangs, orders must
#: still expire.
MAX_SECONDS = 10.0
#: What follows a commit gets this long before the clock thinks it was lost.
GRACE = timedelta(seconds=5)


def run_periodic(now: datetime | None = None) -> dict[str, int]:
    """Run every duty once and return how many rows each took on. Never raises.

    A duty that breaks is logged and does not keep the others from running.
    """
    now = now or timezone.now()
    return {
        duty.__name__: _attempt(duty, now)
        for duty in (
            process_stored_events,
            sync_unsynced_orders,
            send_forgotten_stk_pushes,
            expire_silent_stk_pushes,
            query_silent_payments,
            pull_and_apply_statement,
            expire_unpaid_orders,
            refund_uncovered_money,
            process_due_refunds,
            auto_confirm_deliveries,
            create_due_payouts,
            process_due_payouts,
            compose_notifications,
            send_due_messages,
        )
    }


def run_daily() -> int:
    """The daily round: forget tokens that have expired, and old counters. Returns how many."""
    return delete_expired_tokens() + delete_old_budgets(timezone.now())


def process_stored_events(now: datetime) -> int:
    """Act on messages whose turn was lost between keeping and acting."""
    waiting = GatewayEvent.objects.to_process().filter(received_at__lt=now - GRACE)
    # Those that failed before come last, so that none of them holds the others up.
    return _each(process_event, waiting.order_by("tries", "pk").values_list("pk", flat=True))


def sync_unsynced_orders(now: datetime) -> int:
    """Pay orders whose money is confirmed but who did not hear of it."""
    unheard = OrderPayment.objects.unsynced().values_list("order_id", flat=True)
    return _each(sync_order_with_payment, unheard)


def send_forgotten_stk_pushes(now: datetime) -> int:
    """Ring phones for attempts that were committed and then forgotten."""
    forgotten = OrderPayment.objects.unsent().filter(created_at__lt=now - GRACE)
    return _each(send_stk_push, forgotten.values_list("order_id", flat=True))


def expire_silent_stk_pushes(now: datetime) -> int:
    """Let go of prompts that no phone shows any more."""
    return expire_stk_pushes(now=now)


def query_silent_payments(now: datetime) -> int:
    """Ask M-Pesa about attempts it has said nothing of."""
    due = OrderPayment.objects.due_for_check(now).values_list("pk", flat=True)
    return _each(query_status, due, at_most=settings.DARAJA_QUERIES_A_MINUTE)


def pull_and_apply_statement(now: datetime) -> int:
    """Take in what M-Pesa's own statement shows, and end the attempts it never showed."""
    return pull_statement(now) + fail_attempts_not_on_statement()


def refund_uncovered_money(now: datetime) -> int:
    """Owe back what came for orders that were closed before it covered them."""
    return _each(refund_excess, Receipt.objects.left_waiting().values_list("order_id", flat=True))


def process_due_refunds(now: datetime) -> int:
    """Send refunds that are due, and ask about those M-Pesa has not spoken of."""
    return _each(process_refund, Refund.objects.due(now).values_list("pk", flat=True))


def create_due_payouts(now: datetime) -> int:
    """Make payouts of what sellers are owed and the moment after the commit did not get to."""
    sellers = sellers_to_pay(before=now - GRACE)
    return _each(create_payouts, sellers)


def process_due_payouts(now: datetime) -> int:
    """Send payouts that are due, and ask about those M-Pesa has not spoken of."""
    return _each(process_payout, Payout.objects.due(now).values_list("pk", flat=True))


def compose_notifications(now: datetime) -> int:
    """Put into words what people are to be told, where the turn after the commit was lost."""
    forgotten = Notice.objects.to_compose().filter(created_at__lt=now - GRACE)
    return _each(compose, forgotten.order_by("pk").values_list("pk", flat=True))


def send_due_messages(now: datetime) -> int:
    """Send messages whose time has come: those just written, and those to be tried again."""
    due = Message.objects.to_send(now).order_by("next_try_at")
    return _each(send_message, due.values_list("pk", flat=True))


def _attempt(duty: Callable[[datetime], int], now: datetime) -> int:
    try:
        return duty(now)
    except Exception:
        logger.exception("the clock could not %s; it tries again next round", duty.__name__)
        return 0


def _each(
    work: Callable[[int], object],
    row_ids: QuerySet[Any, int] | list[int],
    *,
    at_most: int = BATCH,
) -> int:
    """Do the work for each row by itself: one that breaks does not keep the others waiting."""
    done, began = 0, time.monotonic()
    for row_id in list(row_ids[:at_most]):
        if time.monotonic() - began > MAX_SECONDS:
            break
        try:
            work(row_id)
            done += 1
        except Exception:
            logger.exception("%s(%s) failed; the next round tries again", work, row_id)
    return done
