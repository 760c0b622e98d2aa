"""Status queries of STK pushes without a result, within M-Pesa's limit of queries.

The sandbox was seen to answer five status queries a minute and to refuse the rest.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from omachemainproj.locking import lock_row
from omachemainproj.task_registry import background_task
from payments import gateway
from payments.daraja.client import StkOutcome, StkStatus
from payments.models import STK_QUERIES, EventState, OrderPayment, QueryBudget, ReceiptSource

from .outcomes import AttemptOutcome, record_outcome

logger = logging.getLogger(__name__)

#: How long the budget's minutes are kept.
BUDGET_KEPT = timedelta(hours=1)


def schedule_status_query(payment: OrderPayment, *, now: datetime) -> None:
    """Bring the next check of an attempt forward, to at most one every ten seconds.

    Call inside a transaction that holds the attempt's lock.
    """
    soonest = (
        now
        if payment.checked_at is None
        else max(now, payment.checked_at + STK_QUERIES.min_interval)
    )
    if payment.next_check_at is None or payment.next_check_at > soonest:
        payment.next_check_at = soonest
        payment.save(update_fields=["next_check_at"])


def query_now(payment_id: int) -> None:
    """Query M-Pesa about an attempt for staff, at most once every ten seconds."""
    now = timezone.now()
    with transaction.atomic():
        payment = lock_row(OrderPayment, payment_id)
        if payment.checkout_request_id and not payment.is_confirmed:
            schedule_status_query(payment, now=now)
    query_status(payment_id)


@background_task(calls="M-Pesa")
def query_status(payment_id: int) -> None:
    """Query M-Pesa about an attempt, if it is time to.

    Safe to repeat, on any worker, concurrently: one caller claims the check by setting the next
    one. Anything but a final result leaves the attempt as it is.
    """
    now = timezone.now()
    due = OrderPayment.objects.due_for_check(now).filter(pk=payment_id)
    payment = due.first()
    if payment is None or (payment.checkout_request_id and not take_query_token(now)):
        return
    if not OrderPayment.objects.filter(pk=payment_id, next_check_at=payment.next_check_at).update(
        next_check_at=_next_at(payment, now),
        checks=payment.checks + 1,
        checked_at=now,
    ):
        return
    if not payment.checkout_request_id:
        return  # no id to query by; a callback may still arrive
    answer = gateway.daraja().stk_query(checkout_request_id=payment.checkout_request_id)
    if answer.outcome == StkOutcome.UNKNOWN:
        logger.info("payment %s: no result from M-Pesa: %s", payment.pk, answer.description)
        if not answer.answered:
            _query_again(payment, now)
        return
    with transaction.atomic():
        record_outcome(payment.pk, _outcome(answer))
        _close_untrusted(payment, answer)


def _next_at(payment: OrderPayment, now: datetime) -> datetime | None:
    """When to query an attempt next after querying now; None if that was the last time.

    A message that is not trusted on its own waits for an answer even if the attempt has ended,
    because nothing else would decide about it. Without an id to query by, a delayed check is not
    made up for.
    """
    sent_at, queries = payment.rung_at or payment.created_at, payment.checks + 1
    if not payment.checkout_request_id:
        queries = max(queries, len(STK_QUERIES.seconds))
    later = STK_QUERIES.next_at(sent_at, now, queries)
    if later is None and payment.events.filter(state=EventState.CHECKING).exists():
        return STK_QUERIES.query_again_at(sent_at, now, queries)
    return later


def _query_again(payment: OrderPayment, now: datetime) -> None:
    """Schedule another query if something in front of M-Pesa answered the last one."""
    sent_at = payment.rung_at or payment.created_at
    OrderPayment.objects.under_way().filter(pk=payment.pk, next_check_at=None).update(
        next_check_at=STK_QUERIES.query_again_at(sent_at, now, payment.checks + 1)
    )


def _outcome(answer: StkStatus) -> AttemptOutcome:
    """What a status query proves: that the money moved, but not under which receipt number.

    Not even if an untrusted message names one. Its sender may have named another payment's number:
    the query confirms the payment but never the number, and money is recorded and refunded by its
    number.
    """
    return AttemptOutcome(
        succeeded=answer.outcome == StkOutcome.PAID,
        code=answer.result_code,
        text=answer.description,
        source=ReceiptSource.QUERY,
    )


def _close_untrusted(payment: OrderPayment, answer: StkStatus) -> None:
    note = f"M-Pesa reports {answer.outcome} ({answer.result_code})."
    payment.events.filter(state=EventState.CHECKING).update(
        state=EventState.APPLIED, note=note, applied_at=timezone.now()
    )


def take_query_token(now: datetime) -> bool:
    """Take one query from this minute's budget; False if it is used up.

    Counted in the database, which all workers share.
    """
    minute = now.replace(second=0, microsecond=0)
    QueryBudget.objects.bulk_create([QueryBudget(minute=minute)], ignore_conflicts=True)
    left = QueryBudget.objects.filter(minute=minute, used__lt=settings.DARAJA_QUERIES_A_MINUTE)
    return bool(left.update(used=F("used") + 1))


def delete_old_budgets(now: datetime) -> int:
    """Delete old minutes of the budget. Safe to repeat."""
    return QueryBudget.objects.filter(minute__lt=now - BUDGET_KEPT).delete()[0]
