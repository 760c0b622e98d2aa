"""How long prompts are open, and when another one may follow."""

from __future__ import annotations

from datetime import datetime, timedelta

from orders.models import Order
from payments.models import AttemptStatus, OrderPayment

from .failures import PHONE_BUSY

#: How long a phone may show a prompt; a new one waits. Daraja does not say; blogs say 60 s.
STK_TIMEOUT = timedelta(seconds=120)
#: An attempt that was not sent within this time is never sent: its buyer has moved on.
MAX_UNSENT_AGE = timedelta(seconds=60)


def ring_again_in(order: Order, payment: OrderPayment | None, now: datetime) -> int | None:
    """Seconds until the order's phone can be prompted again: 0 for now, None for never.

    ``payment`` is the last attempt. If it has ended, or M-Pesa did not accept it at the first try,
    another may follow immediately; else once no phone shows it any longer
    (``stk_push.expire_stk_pushes``).
    """
    if not order.is_unpaid or min(order.held_until, order.expires_at) <= now:
        return None
    if payment is None or not payment.live:
        return 0
    if payment.status == AttemptStatus.REQUESTED:
        was_tried = payment.rung_at is not None or payment.result_code == PHONE_BUSY
        return 0 if was_tried else _seconds_until(payment.created_at + MAX_UNSENT_AGE, now)
    return _seconds_until((payment.rung_at or payment.created_at) + STK_TIMEOUT, now)


def expires_in(payment: OrderPayment | None, now: datetime) -> int | None:
    """Seconds for which the phone may still show the prompt; None if it shows none."""
    if payment is None or not payment.live or payment.rung_at is None:
        return None
    if payment.status == AttemptStatus.REQUESTED:
        return None
    return _seconds_until(payment.rung_at + STK_TIMEOUT, now)


def _seconds_until(then: datetime, now: datetime) -> int:
    """Whole seconds, rounded up past the moment."""
    return max(int((then - now).total_seconds()) + 1, 0) if then >= now else 0
