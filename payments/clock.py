"""The clock: all periodic duties, safe to run anywhere, repeatedly and concurrently.

``manage.py clock`` runs them in a loop; Celery beat does if there is a broker. A duty finds its
work in the database, so whatever a crash or a lost message left behind is done here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import QuerySet
from django.utils import timezone

from accounts import lockout
from accounts.contact_budgets import delete_ended_counts
from accounts.names import delete_released_names
from accounts.phone_codes import delete_old_codes
from accounts.sessions import delete_old_sessions
from accounts.tokens import delete_expired_tokens
from omachemainproj.caches import delete_expired_cache_entries
from omachemainproj.compiled_queries import compiled
from omachemainproj.heartbeats import record_failing
from omachemainproj.rounds import SAMPLED_FROM, RowIds, do_each, note_failures, random_sample
from orders.claims import release_unfetched_parcels
from orders.fulfilment import auto_confirm_deliveries
from orders.lifecycle import expire_unpaid_orders
from orders.models.notifications import Message, Notice, SmsReport
from orders.notifications.composing import compose
from orders.notifications.reports import follow_report
from orders.notifications.sending import send_message
from orders.parcels.waiting import remind_of_waiting_goods
from orders.retention import delete_old_messages, delete_old_problem_pictures, mask_old_phones
from products.catalogue.category_summaries import apply_listing_count_changes
from products.listings.pictures import draw_sizes, pictures_missing_sizes

from .checkout.stk_push import SEND_AGAIN_AFTER, expire_stk_pushes, send_stk_push
from .disbursement import process_payout, process_refund
from .models import GatewayEvent, OrderPayment, Payout, Receipt, ReceiptQuestion, Refund
from .models.order_balances import covered_but_unpaid
from .payment_matching import possible_duplicates
from .payouts.allocation import create_payouts
from .payouts.due import sellers_to_pay
from .people.erasure import erase_old_guests, erase_remaining_data
from .receipt_queries import query_receipt
from .reconciliation.outcomes import sync_order_with_payment
from .reconciliation.statement_pull import fail_attempts_not_on_statement, pull_statement
from .reconciliation.status_query import delete_old_budgets, query_status
from .reconciliation.suspense import merge_if_sure
from .reconciliation.withdrawals import reversals_of_new_payments, settle_again
from .refunds.services import refund_excess
from .watch.clock_skew import correct_times_ahead
from .watch.nightly import delete_old_proofs, prove_some
from .webhooks.inbox import process_event, process_waiting_event
from .webhooks.strangers import delete_old_posts

logger = logging.getLogger(__name__)

#: Returns how many rows it processed.
Duty = Callable[[datetime], int]

#: Rows a duty processes per round; the rest is for the next round.
BATCH = 200
#: Seconds after which a duty starts no further row in a round: if M-Pesa hangs, orders must still
#: expire.
MAX_SECONDS = 10.0
#: Pictures drawn per round; each takes a fifth of a second.
PICTURES_PER_ROUND = 5
#: A background task that should follow a commit counts as lost after this long.
GRACE = timedelta(seconds=5)
#: How old an attempt may be for the clock to look whether its closed order has received its money.
SYNCED_WITHIN = timedelta(days=3)


def run_periodic(
    now: datetime | None = None, *, report_alive: Callable[[], None] | None = None
) -> dict[str, int]:
    """Run every duty once and return how many rows each processed. Never raises.

    A duty that fails is logged, counts as 0, and does not keep the others from running; that it or
    one of its rows failed is recorded for the alert (watch/alerts.py). In a long
    round ``report_alive`` is called between duties, about every ``MAX_SECONDS``: if M-Pesa hangs,
    each duty takes that long, and the clock must not appear to be down.
    """
    now = now or timezone.now()
    done: dict[str, int] = {}
    failed: list[str] = []
    reported_at = time.monotonic()
    for duty in periodic_duties():
        done[duty.__name__] = 0
        with note_failures() as failed_rows:
            try:
                done[duty.__name__] = duty(now)
            except Exception:
                failed.append(duty.__name__)
                logger.exception("the clock could not %s; it tries again next round", duty.__name__)
            else:
                failed += [duty.__name__] if failed_rows else []
        if report_alive is not None and time.monotonic() - reported_at >= MAX_SECONDS:
            reported_at = time.monotonic()
            report_alive()
    record_failing(failed)
    return done


def run_daily() -> int:
    """Delete data whose retention period is over (docs/privacy.md). Returns how many rows. Never
    raises.

    Safe to repeat, anywhere, concurrently.
    """
    now, done = timezone.now(), 0
    for duty in daily_duties():
        try:
            done += duty(now)
        except Exception:
            logger.exception(
                "daily duty %s failed; it is tried again tomorrow",
                f"{duty.__module__}.{duty.__qualname__}",
            )
    delete_expired_admin_sessions()
    return done


def periodic_duties() -> tuple[Duty, ...]:
    """What each round does, in this order."""
    return (
        correct_times_ahead,
        process_stored_events,
        sync_unsynced_orders,
        send_forgotten_stk_pushes,
        expire_stk_pushes,
        query_silent_payments,
        pull_and_apply_statement,
        expire_unpaid_orders,
        refund_uncovered_money,
        query_due_receipts,
        process_due_refunds,
        auto_confirm_deliveries,
        remind_of_waiting_goods,
        release_unfetched_parcels,
        create_due_payouts,
        process_due_payouts,
        compose_notifications,
        send_due_messages,
        follow_reports,
        _without_time(delete_expired_cache_entries),
        _without_time(apply_listing_count_changes),
        draw_missing_sizes,
    )


def daily_duties() -> tuple[Duty, ...]:
    """What is deleted once a day, in this order."""
    return (
        _without_time(delete_expired_tokens),
        delete_old_budgets,
        delete_ended_counts,
        delete_old_codes,
        delete_old_sessions,
        delete_released_names,
        _without_time(lockout.delete_old_failures),
        _without_time(delete_old_posts),
        delete_old_messages,
        delete_old_problem_pictures,
        mask_old_phones,
        erase_old_guests,
        erase_remaining_data,
        delete_old_proofs,
    )


def _without_time(duty: Callable[[], int]) -> Duty:
    """A duty that looks at no time, as the others are called."""

    @wraps(duty)
    def run(now: datetime) -> int:
        return duty()

    return run


def prove_tonight() -> int:
    """Check some of the rules of the nightly integrity check. Returns how many. Never raises.

    Not a duty of the round: a rule may take a minute, and payments must not wait for it.
    """
    try:
        return prove_some()
    except Exception:
        logger.exception("the nightly integrity check failed; the next round retries")
        return 0


def delete_expired_admin_sessions() -> None:
    """Delete expired sessions of the admin. Never raises."""
    try:
        SessionStore.clear_expired()
    except Exception:
        logger.exception("sessions of the admin could not be deleted")


def process_stored_events(now: datetime) -> int:
    """Process stored gateway messages whose background task was lost."""
    waiting = GatewayEvent.objects.to_process().filter(received_at__lt=now - GRACE)
    # Those that failed before come last, so that they do not delay the others.
    return _each(process_event, waiting.order_by("tries", "pk").values_list("pk", flat=True))


def sync_unsynced_orders(now: datetime) -> int:
    """Pay orders that are not marked as paid though their money came, at once or in parts."""
    came = (_orders_of_unsynced(), _orders_of_unsynced_since(now - SYNCED_WITHIN), _covered())
    return sum(
        _each(sync_order_with_payment, random_sample(order_ids, BATCH)) for order_ids in came
    )


@compiled
def _orders_of_unsynced() -> QuerySet[Any, int]:
    return OrderPayment.objects.unsynced().values_list("order_id", flat=True)[:SAMPLED_FROM]


@compiled
def _orders_of_unsynced_since(since: datetime) -> QuerySet[Any, int]:
    attempts = OrderPayment.objects.unsynced_since(since)
    return attempts.values_list("order_id", flat=True)[:SAMPLED_FROM]


@compiled
def _covered() -> QuerySet[Any, int]:
    return covered_but_unpaid().values_list("pk", flat=True)[:SAMPLED_FROM]


def send_forgotten_stk_pushes(now: datetime) -> int:
    """Send STK pushes whose background task was lost, or that M-Pesa did not accept at first."""
    forgotten = OrderPayment.objects.to_send(
        created_before=now - GRACE, tried_before=now - SEND_AGAIN_AFTER
    )
    return _each(send_stk_push, forgotten.values_list("order_id", flat=True))


def query_silent_payments(now: datetime) -> int:
    """Query attempts without a result from M-Pesa."""
    due = OrderPayment.objects.due_for_check(now).values_list("pk", flat=True)
    return _each(query_status, due, at_most=settings.DARAJA_QUERIES_A_MINUTE)


def pull_and_apply_statement(now: datetime) -> int:
    """Record what M-Pesa's statement shows, and fail the attempts it does not show.

    Then merge money in suspense with the receipt without a number that it belongs to, if two
    reports of one payment crossed, and record reversals that were reported before their payments.
    """
    done = pull_statement(now) + fail_attempts_not_on_statement(now)
    reversals = GatewayEvent.objects.now_applicable().order_by("pk").values_list("pk", flat=True)
    done += _each(process_waiting_event, reversals)
    # Those that staff have to decide about stay in both.
    done += _each(settle_again, random_sample(_unsettled_reversals(now), BATCH))
    return done + _each(merge_if_sure, random_sample(_possible_duplicates(), BATCH))


@compiled
def _unsettled_reversals(now: datetime) -> QuerySet[Any, int]:
    found = reversals_of_new_payments(now).order_by("-pk")
    return found.values_list("pk", flat=True)[:SAMPLED_FROM]


@compiled
def _possible_duplicates() -> QuerySet[Any, int]:
    return possible_duplicates().order_by("-pk").values_list("pk", flat=True)[:SAMPLED_FROM]


def refund_uncovered_money(now: datetime) -> int:
    """Refund partial payments of orders that were closed before their price was covered."""
    return _each(
        refund_excess, Receipt.objects.partial_of_closed_orders().values_list("order_id", flat=True)
    )


def query_due_receipts(now: datetime) -> int:
    """Query M-Pesa about receipts that are not confirmed and that something waits for."""
    return _each(query_receipt, ReceiptQuestion.objects.due(now).values_list("pk", flat=True))


def process_due_refunds(now: datetime) -> int:
    """Send refunds that are due, and query those without a result from M-Pesa."""
    return _each(process_refund, Refund.objects.due(now).values_list("pk", flat=True))


def create_due_payouts(now: datetime) -> int:
    """Create payouts of sellers' earnings whose background task was lost."""
    # Sellers whose debt waits for a confirmation, or who are owed too little, stay among them.
    return _each(create_payouts, random_sample(sellers_to_pay(before=now - GRACE), BATCH))


def process_due_payouts(now: datetime) -> int:
    """Send payouts that are due, and query those without a result from M-Pesa."""
    return _each(process_payout, Payout.objects.due(now).values_list("pk", flat=True))


def compose_notifications(now: datetime) -> int:
    """Compose the messages of notices whose background task was lost."""
    forgotten = Notice.objects.to_compose().filter(created_at__lt=now - GRACE)
    return _each(compose, forgotten.order_by("pk").values_list("pk", flat=True))


def send_due_messages(now: datetime) -> int:
    """Send messages that are due: new ones and retries."""
    due = Message.objects.to_send(now).order_by("next_try_at")
    return _each(send_message, due.values_list("pk", flat=True))


def follow_reports(now: datetime) -> int:
    """Notify otherwise those who did not get an SMS, if the task was lost or the delivery report
    arrived before its message had an id."""
    forgotten = SmsReport.objects.to_follow().filter(reported_at__lt=now - GRACE)
    return _each(follow_report, forgotten.order_by("pk").values_list("pk", flat=True))


def draw_missing_sizes(now: datetime) -> int:
    """Create missing sizes of older pictures, a few each round."""
    waiting = pictures_missing_sizes().values_list("pk", flat=True)
    return _each(draw_sizes, waiting, at_most=PICTURES_PER_ROUND)


def _each(work: Callable[[int], object], row_ids: RowIds, *, at_most: int = BATCH) -> int:
    return do_each(work, row_ids, at_most=at_most, seconds=MAX_SECONDS)
