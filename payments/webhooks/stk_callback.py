"""M-Pesa's callbacks of STK pushes: whether each is trusted, and what it does to its attempt."""

from __future__ import annotations

import logging

from django.db.models import QuerySet
from django.utils import timezone

from omachemainproj.background import enqueue_after_commit
from omachemainproj.compiled_queries import compiled
from payments.daraja.result_codes import stk_failure
from payments.daraja.stk_callback import StkCallback, UnreadableCallback, read_stk_callback
from payments.models import (
    EventState,
    GatewayEvent,
    OrderPayment,
    ReceiptSource,
)
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome_locked
from payments.reconciliation.status_query import query_status, schedule_status_query

logger = logging.getLogger(__name__)


def lock_payment(token: str) -> OrderPayment | None:
    """Lock and return the attempt with this callback token, and its order; None for ""."""
    payments = _payment_of_token(token) if token else []
    return payments[0] if payments else None


@compiled
def _payment_of_token(token: str) -> QuerySet[OrderPayment]:
    return OrderPayment.objects.locked_with_orders().filter(callback_token=token).order_by("pk")[:1]


def handle(event: GatewayEvent, payment: OrderPayment | None) -> None:
    """Process a message to the callback URL of ``payment``, or to an unknown one. The attempt and
    its order are locked.

    One to an unknown URL is matched to an attempt by its request id, and M-Pesa is queried whether
    it is true.
    """
    try:
        callback = read_stk_callback(bytes(event.body))
    except UnreadableCallback as error:
        event.set_state(EventState.UNREADABLE, str(error))
        return
    if payment is None:
        payment = _named_by(callback.checkout_request_id)
    if payment is None:
        logger.warning("message %s is about no attempt of ours", event.pk)
        event.set_state(EventState.UNMATCHED, "No attempt of ours has this address or request id.")
        return
    event.payment = payment
    reason = _origin_error(event, payment, callback)
    if not reason:
        _store_request_ids(payment, callback)
        reason = _result_code_error(callback)
    if reason:
        _check_with_mpesa(event, payment, reason)
        return
    event.set_state(EventState.APPLIED, record_outcome_locked(payment, _outcome(callback)))
    resolve_untrusted(payment.pk, confirmed="by its own callback")


def _check_with_mpesa(event: GatewayEvent, payment: OrderPayment, reason: str) -> None:
    """Let a status query decide about an untrusted message, if there is an id to query."""
    if payment.is_confirmed:
        event.set_state(EventState.APPLIED, f"{reason} Nothing was changed.")
    elif payment.checkout_request_id:
        logger.warning("message %s is not trusted on its own: %s", event.pk, reason)
        event.set_state(EventState.CHECKING, reason)
        schedule_status_query(payment, now=timezone.now())
        enqueue_after_commit(query_status, payment.pk)
    else:
        logger.error(
            "message %s is not trusted, and there is no id to query by: %s", event.pk, reason
        )
        event.set_state(EventState.FAILED, f"{reason} There is no request id to query M-Pesa by.")


def resolve_untrusted(payment_id: int, *, confirmed: str) -> None:
    """Close messages that are still being checked if the payment is confirmed, else query its
    status. ``confirmed`` is how it was.

    Call inside a transaction that holds the attempt's lock.
    """
    if not _untrusted_of(payment_id):
        return
    untrusted = GatewayEvent.objects.untrusted_of(payment_id)
    now = timezone.now()
    payment = OrderPayment.objects.get(pk=payment_id)
    if payment.is_confirmed:
        note = f"The attempt was confirmed {confirmed}."
        untrusted.update(state=EventState.APPLIED, note=note, applied_at=now)
    else:
        schedule_status_query(payment, now=now)


@compiled
def _untrusted_of(payment: int) -> QuerySet[GatewayEvent, int]:
    return GatewayEvent.objects.untrusted_of(payment).values_list("pk", flat=True)[:1]


def _named_by(request_id: str) -> OrderPayment | None:
    """Lock and return the attempt with this request id, and its order.

    Never by an empty id, which every unanswered attempt has; the parser lets none through either.
    """
    named = OrderPayment.objects.locked_with_orders().filter(checkout_request_id=request_id)
    return named.exclude(checkout_request_id="").first()


def _origin_error(event: GatewayEvent, payment: OrderPayment, callback: StkCallback) -> str:
    """Why a message may not be Safaricom's callback of this attempt; "" if it is."""
    if event.token != payment.callback_token:
        return "It did not come to the attempt's own URL."
    if event.is_from_unknown_ip:
        return "It did not come from an address of Safaricom's."
    ids = (callback.merchant_request_id, callback.checkout_request_id)
    ours = (payment.merchant_request_id, payment.checkout_request_id)
    if payment.checkout_request_id and ids != ours:
        return "Its request ids are not those M-Pesa gave the attempt."
    if payment.rung_at is None:
        return "This attempt was never sent to M-Pesa."
    return ""


def _result_code_error(callback: StkCallback) -> str:
    """Why a result code does not tell how the attempt ended; "" if it does."""
    if callback.succeeded or stk_failure(callback.result_code):
        return ""
    return f"{callback.result_code} is not a final result code for a payment."


def _store_request_ids(payment: OrderPayment, callback: StkCallback) -> None:
    """Record the request ids from the callback if the answer to the STK push was lost or late."""
    if not payment.checkout_request_id:
        payment.merchant_request_id = callback.merchant_request_id
        payment.checkout_request_id = callback.checkout_request_id
        payment.save(update_fields=["merchant_request_id", "checkout_request_id"])


def _outcome(callback: StkCallback) -> AttemptOutcome:
    return AttemptOutcome(
        succeeded=callback.succeeded,
        code=callback.result_code,
        text=callback.description,
        source=ReceiptSource.CALLBACK,
        amount=callback.amount,
        receipt=callback.receipt,
        paid_at=callback.paid_at,
    )
