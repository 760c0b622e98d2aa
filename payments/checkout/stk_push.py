"""STK push: prompts a buyer's phone for an order's money, and never twice by accident.

An attempt is committed before the request is sent to M-Pesa, no lock is held during the request,
and the answer is recorded afterwards.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.contacts import has_paid_from, proofs_of_payment
from omachemainproj.api.errors import Refusal
from omachemainproj.background import enqueue_after_commit
from omachemainproj.compiled_queries import Update, compiled, compiled_update
from omachemainproj.inserts import insert
from omachemainproj.locking import lock_row
from omachemainproj.rounds import do_each
from omachemainproj.task_registry import background_task
from orders.hold_limits import check_phone_of_order
from orders.hold_locks import lock_phone
from orders.lifecycle import NotUnpaid, end_prompt, extend_hold
from orders.models import Order
from payments import gateway
from payments.daraja.errors import DarajaRefusal, DarajaRefused, DarajaUnknown
from payments.models import (
    STK_QUERIES,
    AttemptStatus,
    OrderPayment,
    OrderPaymentQuerySet,
    amount_credited,
)
from payments.shortcodes import receiving_shortcode

from .failures import NOT_SENT, PHONE_BUSY, RATE_LIMITED, TOO_MANY_PHONES, ends_hold
from .messages import notify_payment_failed
from .prompt_budget import PromptReservation, release_prompt, reserve_prompt
from .timing import MAX_UNSENT_AGE, STK_TIMEOUT, ring_again_in

logger = logging.getLogger(__name__)

#: Goods stay reserved for at least this long after another prompt.
HOLD_AFTER_PROMPT = STK_TIMEOUT + timedelta(minutes=3)
#: Delay between two tries to send an attempt that M-Pesa certainly did not accept.
SEND_AGAIN_AFTER = timedelta(seconds=10)
#: Prompts of each kind closed per call, and seconds after which no further one is.
CLOSED_PER_ROUND, CLOSING_SECONDS = 500, 10.0
#: How long an owner's attempt waits at most for a stranger's prompt on their phone to end.
#: Strangers do not wait.
MAX_WAIT_FOR_PHONE = STK_TIMEOUT + MAX_UNSENT_AGE


class PromptOpen(Refusal):
    """The last prompt for this order may still be open on the phone."""

    code = "prompt_open"
    message = "A prompt is open on the phone. Answer it, or wait two minutes and try again."

    def __init__(self, retry_after: int | None) -> None:
        self.retry_after = retry_after or 1
        super().__init__()


def request_payment(order: Order) -> None:
    """Request a new order's money: one attempt, sent to the phone after commit.

    Safe to repeat: a constraint allows one live attempt per order.
    """
    insert([first_attempt(order)], ignore_conflicts=True)
    enqueue_after_commit(send_stk_push, order.pk)


def first_attempt(order: Order) -> OrderPayment:
    """The unsaved first attempt to collect a new order's money."""
    return OrderPayment(
        order=order, phone=order.mpesa_number, amount=order.amount, created_at=order.created_at
    )


def retry_payment(order: Order, *, phone: str | None = None, now: datetime | None = None) -> None:
    """Prompt again for an unpaid order, on another ``phone`` if one is given.

    Its goods stay reserved for longer, within the limit of ``extend_hold``.

    Raises NotUnpaid, PromptOpen, and PhoneHoldsTooMuch if unpaid orders would exceed the limit of
    the other phone (orders.hold_limits).
    """
    now = now or timezone.now()
    expire_stk_pushes(now=now, order_id=order.pk)
    with transaction.atomic():
        if phone:
            lock_phone(phone)
        # Lock the attempts before the order, as record_outcome() does. In the other order, adding
        # an attempt would wait for one that is being confirmed, which waits for the order.
        list(_locked(order=order.pk))
        order = lock_row(Order, order.pk)
        if not order.is_unpaid or order.held_until <= now:
            raise NotUnpaid()
        if phone and phone != order.mpesa_number:
            check_phone_of_order(order, phone)
            order.mpesa_number = phone
            order.save(update_fields=["mpesa_number"])
        extend_hold(order, at_least=HOLD_AFTER_PROMPT, now=now)
        # Part of it may have been paid manually.
        missing = order.amount - amount_credited(order.pk)
        if missing < 1:
            # All of it came: the clock pays the order in a moment.
            raise NotUnpaid()
        try:
            with transaction.atomic():
                OrderPayment.objects.create(order=order, phone=order.mpesa_number, amount=missing)
        except IntegrityError as error:
            live = OrderPayment.objects.filter(order=order, live=True).first()
            raise PromptOpen(ring_again_in(order, live, now)) from error
        enqueue_after_commit(send_stk_push, order.pk)


@background_task(calls="M-Pesa")
def send_stk_push(order_id: int) -> None:
    """Send the STK push of an order's attempt that has not been sent yet.

    Safe to repeat, on any worker, concurrently: one caller claims the attempt, and from then on it
    is ``unknown`` until an answer says otherwise. An unclear answer is never followed by a second
    push: Daraja has no idempotency key. An attempt that M-Pesa certainly did not accept, for a
    temporary reason, becomes unsent again, and the clock sends it within MAX_UNSENT_AGE.
    """
    now = timezone.now()
    try:
        claimed = _claim(order_id, now)
    except IntegrityError:
        # A constraint allows one live attempt per phone; the other one may have expired.
        claimed = _claim_after_expiry(order_id, now)
    if claimed is not None:
        _push(claimed)


class _Claimed(NamedTuple):
    """An attempt claimed by one caller, and the budgets its prompt was counted against."""

    payment: OrderPayment
    taken: PromptReservation


def _claim_after_expiry(order_id: int, now: datetime) -> _Claimed | None:
    """Close expired attempts of the phone, then claim this one.

    If the phone is still busy, the attempt fails. Only the phone's owner waits for a stranger's
    prompt to end, and then goes before any other stranger.
    """
    unsent = OrderPayment.objects.unsent().filter(order=order_id)
    payment = unsent.select_related("order").first()
    if payment is None:
        return None
    expire_stk_pushes(now=now, phone=payment.phone)
    try:
        return _claim(order_id, now)
    except IntegrityError:
        if _may_wait(payment, now):
            unsent.filter(pk=payment.pk).update(result_code=PHONE_BUSY)
        else:
            _abandon(payment, PHONE_BUSY)
        return None


def _may_wait(payment: OrderPayment, now: datetime) -> bool:
    """Whether the phone is the buyer's own, and the prompt open on it is someone else's."""
    buyer_id = payment.order.buyer_id
    own = OrderPayment.objects.filter(phone=payment.phone, live=True, rung_at__isnull=False)
    return (
        has_paid_from(buyer_id, payment.phone, now)
        and not own.filter(order__buyer=buyer_id).exists()
    )


@transaction.atomic
def _claim(order_id: int, now: datetime) -> _Claimed | None:
    """Claim an attempt for one caller, unless it was claimed or must no longer be sent.

    The order is locked too: nothing is sent once it is cancelled or expired.
    """
    payments = _lock_attempt(order_id, now)
    if not payments:
        return None
    payment = payments[0]
    taken = _take_unless_refused(payment, payment.order, now)
    if reason := taken.refused:
        # A buyer who asks too often reads so in the answer; they get no notification about it.
        _abandon(payment, reason, notify=reason not in {RATE_LIMITED, TOO_MANY_PHONES})
        return None
    _mark_unknown(payment.pk, now, receiving_shortcode())
    return _Claimed(payment, taken)


@compiled_update
def _mark_unknown(payment: int, now: datetime, shortcode: str) -> Update:
    return OrderPayment.objects.filter(pk=payment), {
        "status": AttemptStatus.UNKNOWN,
        "rung_at": now,
        "shortcode": shortcode,
        "next_check_at": now + STK_QUERIES.first,
        "result_code": "",
        "result_text": "",
    }


@compiled
def _lock_attempt(order: int, now: datetime) -> QuerySet[OrderPayment]:
    """The attempt, locked with its order and annotated with whose phone it is.

    ``is_own``: the phone has paid for this buyer before. ``is_waited_for``: the phone's owner is
    waiting with another attempt, and goes first.
    """
    unsent, phone = OrderPayment.objects.unsent(), OuterRef("phone")
    waiting = unsent.filter(
        phone=phone, result_code=PHONE_BUSY, created_at__gt=now - MAX_WAIT_FOR_PHONE
    )
    attempt = unsent.filter(order=order).annotate(
        is_own=Exists(proofs_of_payment(OuterRef("order__buyer"), phone, now)),
        is_waited_for=Exists(waiting.exclude(pk=OuterRef("pk"))),
    )
    return attempt.locked_with_orders().order_by("pk")[:1]


def _locked(**which: int) -> OrderPaymentQuerySet:
    return OrderPayment.objects.select_for_update(no_key=True).filter(**which).order_by("pk")


def _take_unless_refused(payment: OrderPayment, order: Order, now: datetime) -> PromptReservation:
    """Count an attempt against the budgets of its phone and its buyer.

    One that must not be sent counts against none, and is refused with its failure code.
    """
    too_old = payment.created_at < now - _max_age(payment)
    if not order.is_unpaid or order.expires_at <= now or too_old:
        return PromptReservation(refused=payment.result_code or NOT_SENT)
    if not payment.is_own and payment.is_waited_for:  # type: ignore[attr-defined]
        return PromptReservation(refused=PHONE_BUSY)
    return reserve_prompt(order.buyer_id, payment.phone, now, is_own=payment.is_own)  # type: ignore[attr-defined]


def _max_age(payment: OrderPayment) -> timedelta:
    return MAX_WAIT_FOR_PHONE if payment.result_code == PHONE_BUSY else MAX_UNSENT_AGE


@transaction.atomic
def _abandon(payment: OrderPayment, code: str, *, notify: bool = True) -> int:
    """Mark an attempt that was never sent as failed. Returns how many were: 1 or 0."""
    unsent = OrderPayment.objects.unsent().filter(pk=payment.pk)
    failed = unsent.update(status=AttemptStatus.FAILED, live=False, result_code=code)
    if failed:
        end_hold_of(payment, code)
    if failed and notify:
        notify_payment_failed(payment, payment.order, code, live=payment.live)
    return failed


def end_hold_of(payment: OrderPayment, code: str) -> None:
    """Shorten the reservation of the attempt's order if ``code`` ends it.

    The attempt was live until now. Call inside the transaction in which it ended.
    """
    if ends_hold(code):
        end_prompt(payment.order_id, now=timezone.now())


def _push(claimed: _Claimed) -> None:
    """Send the STK push of a claimed attempt, and record M-Pesa's answer."""
    payment, taken = claimed
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
        release_prompt(taken, timezone.now())
    except DarajaUnknown as silence:
        logger.warning("payment %s: no clear answer to the prompt: %s", payment.pk, silence)
        OrderPayment.objects.filter(pk=payment.pk).update(result_text=str(silence)[:200])
    else:
        # The callback may have arrived first and recorded the ids and the outcome.
        ids = accepted.merchant_request_id, accepted.checkout_request_id
        if not _mark_submitted(payment.pk, *ids):
            this_one = OrderPayment.objects.filter(pk=payment.pk)
            unnamed = this_one.filter(checkout_request_id="")
            unnamed.update(merchant_request_id=ids[0], checkout_request_id=ids[1])
            waiting = this_one.filter(status=AttemptStatus.UNKNOWN)
            waiting.update(status=AttemptStatus.SUBMITTED)


@compiled_update
def _mark_submitted(payment: int, merchant: str, checkout: str) -> Update:
    """Mark as submitted, if nothing has happened to the attempt since it was claimed."""
    claimed = OrderPayment.objects.filter(pk=payment, status=AttemptStatus.UNKNOWN)
    return claimed.filter(checkout_request_id=""), {
        "merchant_request_id": merchant,
        "checkout_request_id": checkout,
        "status": AttemptStatus.SUBMITTED,
    }


@transaction.atomic
def _record_refusal(payment: OrderPayment, refusal: DarajaRefused) -> None:
    """Make a rejected attempt unsent again if the reason is temporary; else mark it as failed.

    It keeps the time and the reason of the try: if no try is left, the buyer reads that reason.
    Except for a failed access token, which is not the buyer's concern.
    """
    code = f"refused.{refusal.kind}"
    claimed = OrderPayment.objects.filter(pk=payment.pk, status=AttemptStatus.UNKNOWN)
    if refusal.is_over_later:
        claimed.update(
            status=AttemptStatus.REQUESTED,
            next_check_at=None,
            result_code="" if refusal.kind == DarajaRefusal.TOKEN else code,
            result_text=str(refusal)[:200],
        )
        return
    if claimed.update(
        status=AttemptStatus.FAILED,
        live=False,
        next_check_at=None,
        result_code=code,
        result_text=str(refusal)[:200],
    ):
        end_hold_of(payment, code)
        notify_payment_failed(payment, payment.order, code, live=payment.live)


def expire_stk_pushes(
    now: datetime, *, order_id: int | None = None, phone: str | None = None
) -> int:
    """Close prompts that no phone shows any longer, so that another may follow. Safe to repeat.

    Their status is still queried: only ``live`` changes. Those never sent are marked as failed.
    One transaction each, at most 500 of each kind per call, and none started after ten seconds.
    With ``order_id`` the buyer is trying again right now: they are not notified, and an attempt
    that M-Pesa did not accept at first, or that waits for its phone, is closed too. Returns how
    many were closed.
    """
    live = OrderPayment.objects.filter(live=True)
    if order_id is not None:
        live = live.filter(order=order_id)
    if phone is not None:
        live = live.filter(phone=phone)
    waits = Q(result_code=PHONE_BUSY)
    too_late = Q(created_at__lt=now - MAX_UNSENT_AGE) & ~waits
    too_late |= Q(created_at__lt=now - MAX_WAIT_FOR_PHONE)
    if order_id is not None:
        too_late |= Q(rung_at__isnull=False) | waits
    unsent = live.filter(too_late, status=AttemptStatus.REQUESTED)
    # Not one that could not be marked as failed just now: no later round would find it.
    silent = live.filter(rung_at__lt=now - STK_TIMEOUT).exclude(status=AttemptStatus.REQUESTED)
    # One row at a time: one statement over many would lock some while it waits for others.
    return sum(
        do_each(
            work,
            rows.order_by("pk").values_list("pk", flat=True),
            at_most=CLOSED_PER_ROUND,
            seconds=CLOSING_SECONDS,
        )
        for work, rows in (
            (partial(_abandon_unsent, notify=order_id is None), unsent),
            (partial(_close_silent, silent, now=now), silent),
        )
    )


def _abandon_unsent(payment_id: int, *, notify: bool) -> bool:
    payment = OrderPayment.objects.unsent().filter(pk=payment_id).select_related("order").first()
    return payment is not None and bool(
        _abandon(payment, payment.result_code or NOT_SENT, notify=notify)
    )


@transaction.atomic
def _close_silent(silent: OrderPaymentQuerySet, payment_id: int, *, now: datetime) -> bool:
    """Close one prompt that no phone shows any longer, and its order's reservation; return whether
    it was still one of ``silent``."""
    attempt = silent.filter(pk=payment_id)
    order_id = attempt.values_list("order_id", flat=True).first()
    if order_id is None or not attempt.update(live=False):
        return False
    end_prompt(order_id, now=now)
    return True
