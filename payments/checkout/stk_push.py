"""Making phones ring: asking a buyer for money, and never twice by accident.

An attempt is committed before M-Pesa hears of it, no lock is held while M-Pesa is asked, and the
answer is written afterwards.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from omachemainproj.api.errors import Refusal
from omachemainproj.background import background_task, enqueue_after_commit
from omachemainproj.compiled_queries import compiled, locked_row
from orders.lifecycle import NotUnpaid, extend_hold
from orders.models import Order
from payments import gateway
from payments.daraja.errors import DarajaRefused, DarajaUnknown
from payments.models import (
    AttemptStatus,
    OrderPayment,
    OrderPaymentQuerySet,
    amount_credited,
)

from .failures import NOT_SENT, PHONE_BUSY, RATE_LIMITED, notify_payment_failed

logger = logging.getLogger(__name__)

#: How long a phone may ring; a new prompt waits for it. Daraja does not say; blogs say 60 s.
STK_TIMEOUT = timedelta(seconds=120)
#: Goods stay held for at least this long after the phone has rung again.
HOLD_AFTER_PROMPT = STK_TIMEOUT + timedelta(minutes=3)
#: An attempt nobody has sent within this time is not sent any more: its buyer has moved on.
MAX_UNSENT_AGE = timedelta(seconds=60)
#: Prompts one phone gets in an hour, whoever asks: nobody may be pestered through us.
MAX_PROMPTS_PER_HOUR = 10
#: M-Pesa is first asked about a silent prompt this long after it rang.
FIRST_QUERY_AFTER = timedelta(seconds=30)


class PromptOpen(Refusal):
    """The phone is still ringing for this order."""

    code = "prompt_open"
    message = "A prompt is open on the phone. Answer it, or wait two minutes and try again."


def request_payment(order: Order) -> None:
    """Ask for a new order's money: one attempt, and after commit the phone rings.

    Safe to repeat: an order has one live attempt, and the database sees to it.
    """
    OrderPayment.objects.bulk_create(
        [OrderPayment(order=order, phone=order.mpesa_number, amount=order.amount)],
        ignore_conflicts=True,
    )
    enqueue_after_commit(send_stk_push, order.pk)


def retry_payment(order: Order, *, phone: str | None = None, now: datetime | None = None) -> None:
    """Ring for an unpaid order once more, on another ``phone`` if one is given.

    Its goods stay held a while longer, within the order's hard limit.

    Raises NotUnpaid, PromptOpen.
    """
    now = now or timezone.now()
    expire_stk_pushes(now=now, order_id=order.pk)
    with transaction.atomic():
        # The attempts before the order, as in record_outcome(): who holds the order and then adds an
        # attempt would wait for one that is just being confirmed, which waits for the order.
        list(_locked(order=order.pk))
        order = locked_row(Order, order.pk)
        if not order.is_unpaid or order.held_until <= now:
            raise NotUnpaid()
        if phone and phone != order.mpesa_number:
            order.mpesa_number = phone
            order.save(update_fields=["mpesa_number"])
        extend_hold(order, at_least=HOLD_AFTER_PROMPT, now=now)
        # Money paid by hand may have come for a part of it.
        missing = order.amount - amount_credited(order.pk)
        try:
            with transaction.atomic():
                OrderPayment.objects.create(order=order, phone=order.mpesa_number, amount=missing)
        except IntegrityError as error:
            raise PromptOpen() from error
        enqueue_after_commit(send_stk_push, order.pk)


@background_task
def send_stk_push(order_id: int) -> None:
    """Ring the phone for an order's attempt that nobody has sent yet.

    Safe to repeat, anywhere, at once: one caller claims the attempt, and from then on it is
    ``unknown`` until an answer says otherwise. An unclear answer is never followed by a second
    push: Daraja has no key by which it would know a repeat.
    """
    now = timezone.now()
    try:
        claimed = _claim(order_id, now)
    except IntegrityError:
        # The database lets one attempt at a time ring a phone; perhaps one that lapsed is in the
        # way.
        claimed = _claim_after_clearing(order_id, now)
    if claimed is not None:
        _push(claimed)


def _claim_after_clearing(order_id: int, now: datetime) -> OrderPayment | None:
    payment = OrderPayment.objects.unsent().filter(order=order_id).first()
    if payment is None:
        return None
    expire_stk_pushes(now=now, phone=payment.phone)
    try:
        return _claim(order_id, now)
    except IntegrityError:
        _abandon(payment, PHONE_BUSY)
        return None


@transaction.atomic
def _claim(order_id: int, now: datetime) -> OrderPayment | None:
    """Take an attempt for one caller to send, unless it was taken or must not be sent any more.

    The order is locked too: once it is cancelled or expired, its phone no longer rings.
    """
    payments = _lock_attempt(order_id)
    if not payments:
        return None
    payment = payments[0]
    order = payment.order = locked_row(Order, order_id)
    if reason := _reason_not_to_send(payment, order, now):
        _abandon(payment, reason)
        return None
    OrderPayment.objects.filter(pk=payment.pk).update(
        status=AttemptStatus.UNKNOWN, rung_at=now, next_check_at=now + FIRST_QUERY_AFTER
    )
    return payment


@compiled
def _lock_attempt(order: int) -> QuerySet[OrderPayment]:
    return _locked(order=order).unsent()[:1]


def _locked(**which: int) -> OrderPaymentQuerySet:
    return OrderPayment.objects.select_for_update(no_key=True).filter(**which).order_by("pk")


def _reason_not_to_send(payment: OrderPayment, order: Order, now: datetime) -> str:
    if not order.is_unpaid or order.expires_at <= now or payment.created_at < now - MAX_UNSENT_AGE:
        return NOT_SENT
    rung = OrderPayment.objects.filter(phone=payment.phone, rung_at__gt=now - timedelta(hours=1))
    return (
        RATE_LIMITED
        if len(rung.values_list("pk")[:MAX_PROMPTS_PER_HOUR]) == MAX_PROMPTS_PER_HOUR
        else ""
    )


@transaction.atomic
def _abandon(payment: OrderPayment, code: str, *, tell: bool = True) -> int:
    unsent = OrderPayment.objects.unsent().filter(pk=payment.pk)
    given_up = unsent.update(status=AttemptStatus.FAILED, live=False, result_code=code)
    if given_up and tell:
        notify_payment_failed(payment, payment.order, code, live=payment.live)
    return given_up


def _push(payment: OrderPayment) -> None:
    """Ask M-Pesa, and write down what it answered. The attempt is claimed already."""
    claimed = OrderPayment.objects.filter(pk=payment.pk)
    try:
        accepted = gateway.daraja().stk_push(
            phone=payment.phone,
            amount=payment.amount,
            reference=payment.order.reference,
            description="O-Mache",
            callback_url=gateway.callback_url(payment.callback_token),
        )
    except DarajaRefused as refusal:
        logger.warning("payment %s: M-Pesa refused the prompt: %s", payment.pk, refusal)
        _record_refusal(payment, refusal)
    except DarajaUnknown as silence:
        logger.warning("payment %s: no clear answer to the prompt: %s", payment.pk, silence)
        claimed.update(result_text=str(silence)[:200])
    else:
        # The callback may have been faster, and then knows the ids and the end already.
        ids = {
            "merchant_request_id": accepted.merchant_request_id,
            "checkout_request_id": accepted.checkout_request_id,
        }
        unnamed = claimed.filter(checkout_request_id="")
        waiting = claimed.filter(status=AttemptStatus.UNKNOWN)
        if not (unnamed & waiting).update(**ids, status=AttemptStatus.SUBMITTED):
            unnamed.update(**ids)
            waiting.update(status=AttemptStatus.SUBMITTED)


@transaction.atomic
def _record_refusal(payment: OrderPayment, refusal: DarajaRefused) -> None:
    code = f"refused.{refusal.kind}"
    rung = OrderPayment.objects.filter(pk=payment.pk, status=AttemptStatus.UNKNOWN)
    if rung.update(
        status=AttemptStatus.FAILED,
        live=False,
        next_check_at=None,
        result_code=code,
        result_text=str(refusal)[:200],
    ):
        notify_payment_failed(payment, payment.order, code, live=payment.live)


def expire_stk_pushes(
    *, now: datetime, order_id: int | None = None, phone: str | None = None
) -> int:
    """Let go of prompts that no phone shows any more, so that it may ring again. Safe to repeat.

    What became of them is still asked: only ``live`` changes. Those never sent have failed; the
    buyer of ``order_id`` is not told, for they are trying again this very moment.
    """
    live = OrderPayment.objects.filter(live=True)
    if order_id is not None:
        live = live.filter(order=order_id)
    if phone is not None:
        live = live.filter(phone=phone)
    unsent = live.filter(status=AttemptStatus.REQUESTED, created_at__lt=now - MAX_UNSENT_AGE)
    silent = live.filter(rung_at__lt=now - STK_TIMEOUT)
    # One row at a time: a statement over many would hold some while it waits for others.
    closed = sum(
        _abandon(payment, NOT_SENT, tell=order_id is None)
        for payment in unsent.select_related("order")
    )
    return closed + sum(
        silent.filter(pk=payment_id).update(live=False)
        for payment_id in silent.values_list("pk", flat=True)
    )
