"""Asking M-Pesa what became of an STK push it has said nothing of, within its limit of queries.

The sandbox was seen to answer five status queries a minute and to refuse the rest.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from omachemainproj.locking import locked_row
from omachemainproj.task_registry import background_task
from payments import gateway
from payments.daraja.client import StkOutcome, StkStatus
from payments.models import STK_QUERIES, EventState, OrderPayment, QueryBudget, ReceiptSource

from .outcomes import Outcome, record_outcome

logger = logging.getLogger(__name__)

#: How long the minutes of the budget are kept.
BUDGET_KEPT = timedelta(hours=1)


def schedule_status_query(payment: OrderPayment, *, now: datetime) -> None:
    """Bring the next check of an attempt forward, at most one every ten seconds.

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
    """Ask M-Pesa about an attempt at a person's wish, at most once every ten seconds."""
    now = timezone.now()
    with transaction.atomic():
        payment = locked_row(OrderPayment, payment_id)
        if payment.checkout_request_id and not payment.is_confirmed:
            schedule_status_query(payment, now=now)
    query_status(payment_id)


@background_task(calls="M-Pesa")
def query_status(payment_id: int) -> None:
    """Ask M-Pesa what became of an attempt, if it is time to.

    Safe to repeat, anywhere, at once: one caller claims the check by setting the next one.
    Anything but a known end leaves the attempt as it is.
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
        return  # nothing to ask by; the callback at its own address may still tell
    answer = gateway.daraja().stk_query(checkout_request_id=payment.checkout_request_id)
    if answer.outcome == StkOutcome.UNKNOWN:
        logger.info("payment %s: M-Pesa does not say: %s", payment.pk, answer.description)
        if not answer.answered:
            _ask_anew(payment, now)
        return
    with transaction.atomic():
        record_outcome(payment.pk, _outcome(answer))
        _close_doubtful(payment, answer)


def _next_at(payment: OrderPayment, now: datetime) -> datetime | None:
    """When to ask about an attempt after asking now; None when that was the last time.

    A message that is not believed by itself waits for an answer, also about an attempt that has
    ended: nothing else would ever decide about it. What there is nothing to ask by is not asked
    about more often for having been held up.
    """
    sent_at, asked = payment.rung_at or payment.created_at, payment.checks + 1
    if not payment.checkout_request_id:
        asked = max(asked, len(STK_QUERIES.seconds))
    later = STK_QUERIES.next_at(sent_at, now, asked)
    if later is None and payment.events.filter(state=EventState.CHECKING).exists():
        return STK_QUERIES.ask_anew_at(sent_at, now, asked)
    return later


def _ask_anew(payment: OrderPayment, now: datetime) -> None:
    """Ask again after the last check of all, where something before M-Pesa answered that one."""
    sent_at = payment.rung_at or payment.created_at
    OrderPayment.objects.under_way().filter(pk=payment.pk, next_check_at=None).update(
        next_check_at=STK_QUERIES.ask_anew_at(sent_at, now, payment.checks + 1)
    )


def _outcome(answer: StkStatus) -> Outcome:
    """What the query proves: that the money moved, and nothing of its receipt.

    Not even where a message from elsewhere names one. Whoever wrote it may have named another
    payment's: the query bears the payment out and never the number, and by the number money is
    counted once and given back.
    """
    return Outcome(
        succeeded=answer.outcome == StkOutcome.PAID,
        code=answer.result_code,
        text=answer.description,
        source=ReceiptSource.QUERY,
    )


def _close_doubtful(payment: OrderPayment, answer: StkStatus) -> None:
    note = f"M-Pesa, asked, says {answer.outcome} ({answer.result_code})."
    payment.events.filter(state=EventState.CHECKING).update(
        state=EventState.APPLIED, note=note, applied_at=timezone.now()
    )


def take_query_token(now: datetime) -> bool:
    """Take one query out of this minute's budget; False when it is spent.

    Counted in the database, the one thing all workers share.
    """
    minute = now.replace(second=0, microsecond=0)
    QueryBudget.objects.bulk_create([QueryBudget(minute=minute)], ignore_conflicts=True)
    left = QueryBudget.objects.filter(minute=minute, used__lt=settings.DARAJA_QUERIES_A_MINUTE)
    return bool(left.update(used=F("used") + 1))


def delete_old_budgets(now: datetime) -> int:
    """Delete the minutes that are long gone. Safe to repeat."""
    return QueryBudget.objects.filter(minute__lt=now - BUDGET_KEPT).delete()[0]
