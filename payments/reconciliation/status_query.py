"""Asking M-Pesa what became of a silent prompt."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from omachemainproj.background import background_task
from omachemainproj.compiled_queries import locked_row
from payments import gateway
from payments.daraja.client import StkOutcome, StkStatus
from payments.models import EventState, OrderPayment, ReceiptSource

from .budget import take_query_token
from .outcomes import Outcome, record_outcome

logger = logging.getLogger(__name__)

#: When M-Pesa is asked about a silent prompt, in seconds after it rang. After the last time the
#: statement decides, if it can; else a person.
QUERY_AFTER = (30, 60, 120, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
#: No attempt is asked about more often than this, whatever strangers post to the webhook.
MIN_INTERVAL = timedelta(seconds=10)


def schedule_status_query(payment: OrderPayment, *, now: datetime) -> None:
    """Bring the next check of an attempt forward, at most one every ten seconds.

    Call inside a transaction that holds the attempt's lock.
    """
    soonest = now if payment.checked_at is None else max(now, payment.checked_at + MIN_INTERVAL)
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


@background_task
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
        next_check_at=_next_query_at(payment, now), checks=payment.checks + 1, checked_at=now
    ):
        return
    if not payment.checkout_request_id:
        return  # nothing to ask by; the callback at its own address may still tell
    answer = gateway.daraja().stk_query(checkout_request_id=payment.checkout_request_id)
    if answer.outcome == StkOutcome.UNKNOWN:
        logger.info("payment %s: M-Pesa does not say: %s", payment.pk, answer.description)
        return
    with transaction.atomic():
        record_outcome(payment.pk, _outcome(answer))
        _close_doubtful(payment, answer)


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
        door=ReceiptSource.QUERY,
    )


def _close_doubtful(payment: OrderPayment, answer: StkStatus) -> None:
    note = f"M-Pesa, asked, says {answer.outcome} ({answer.result_code})."
    payment.events.filter(state=EventState.CHECKING).update(
        state=EventState.APPLIED, note=note, applied_at=timezone.now()
    )


def _next_query_at(payment: OrderPayment, now: datetime) -> datetime | None:
    rung_at = payment.rung_at or payment.created_at
    later = (rung_at + timedelta(seconds=seconds) for seconds in QUERY_AFTER)
    return next((at for at in later if at > now + MIN_INTERVAL), None)
