"""What the gateway posts: kept first, answered, then acted on.

Daraja neither signs its callbacks nor sends one again, so the raw bytes are committed before
anything reads them, and nothing that goes wrong later can lose them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from omachemainproj.soon import after_commit, duty
from omachemainproj.statements import locked_row

from .daraja.codes import is_terminal_failure
from .daraja.messages import StkCallback, UnreadableCallback, read_stk_callback
from .enquiry import ask_soon, check_payment
from .models import Door, EventState, GatewayEvent, OrderPayment
from .settlement import Outcome, settle

logger = logging.getLogger(__name__)

#: After so many failures a message is put before a person and tried no more.
MOST_TRIES = 10


def keep_event(
    *, body: bytes, token: str, remote_address: str | None, headers: Mapping[str, str]
) -> int:
    """Commit what was posted, unread, and return the id it is kept under."""
    event = GatewayEvent.objects.create(
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        token=token,
        remote_address=remote_address,
        headers=dict(headers),
    )
    return event.pk


@duty
def apply_event(event_id: int) -> None:
    """Act on a kept message. Safe to repeat, anywhere, at once. Never raises.

    Whatever stops it, a bug of ours or a database gone away, is written on its row, and the
    clock tries again; after ten failures a person has to look.
    """
    try:
        with transaction.atomic():
            _apply(event_id)
    except Exception as error:
        logger.exception("message %s is kept but not applied", event_id)
        _write_failure(event_id, error)


def _write_failure(event_id: int, error: Exception) -> None:
    try:
        with transaction.atomic():
            event = locked_row(GatewayEvent, event_id)
            if event.state != EventState.NEW:
                return
            event.tries += 1
            event.note = repr(error)[:200]
            if event.tries >= MOST_TRIES:
                event.state = EventState.FAILED
            event.save(update_fields=["tries", "note", "state"])
    except Exception:
        logger.exception("message %s: its failure could not be written down", event_id)


def _apply(event_id: int) -> None:
    event = locked_row(GatewayEvent, event_id)
    if event.state != EventState.NEW:
        return
    try:
        callback = read_stk_callback(bytes(event.body))
    except UnreadableCallback as error:
        _write(event, EventState.UNREADABLE, str(error))
        return
    payment = _find_payment(event, callback)
    if payment is None:
        logger.warning("message %s is about no attempt of ours", event.pk)
        _write(event, EventState.UNMATCHED, "No attempt of ours has this address or request id.")
        return
    event.payment = payment
    doubt = _doubt_its_origin(event, payment, callback)
    if not doubt:
        _adopt_ids(payment, callback)
        doubt = _doubt_its_end(callback)
    if not doubt:
        _write(event, EventState.APPLIED, settle(payment.pk, _outcome(callback)))
        _look_after_doubtful(payment.pk)
    elif payment.is_confirmed:
        _write(event, EventState.APPLIED, f"{doubt} Nothing was changed.")
    elif payment.checkout_request_id:
        logger.warning("message %s is not believed by itself: %s", event.pk, doubt)
        _write(event, EventState.CHECKING, doubt)
        ask_soon(payment, now=timezone.now())
        after_commit(check_payment, payment.pk)
    else:
        logger.error(
            "message %s is not believed, and there is no id to ask by: %s", event.pk, doubt
        )
        _write(event, EventState.FAILED, f"{doubt} There is no request id to ask M-Pesa by.")


def _look_after_doubtful(payment_id: int) -> None:
    """Messages still being checked: closed once the money is here, else asked about after all."""
    doubtful = GatewayEvent.objects.filter(payment=payment_id, state=EventState.CHECKING)
    if not doubtful.exists():
        return
    now = timezone.now()
    payment = OrderPayment.objects.get(pk=payment_id)
    if payment.is_confirmed:
        note = "The attempt was confirmed at its own address."
        doubtful.update(state=EventState.APPLIED, note=note, applied_at=now)
    else:
        ask_soon(payment, now=now)


def _find_payment(event: GatewayEvent, callback: StkCallback) -> OrderPayment | None:
    """The attempt a message is about, locked: by its secret address, else by its request id.

    Neither is ever looked up when empty: ``filter(id=None)`` would find every id not yet known.
    """
    payments = OrderPayment.objects.select_for_update(no_key=True)
    if event.token and (payment := payments.filter(callback_token=event.token).first()):
        return payment
    return payments.filter(checkout_request_id=callback.checkout_request_id).first()


def _doubt_its_origin(event: GatewayEvent, payment: OrderPayment, callback: StkCallback) -> str:
    """Why a message may not be Safaricom's word on this attempt; an empty text when it is."""
    if event.token != payment.callback_token:
        return "It did not come to the attempt's own address."
    if settings.DARAJA_CALLBACK_IPS and event.remote_address not in settings.DARAJA_CALLBACK_IPS:
        return "It did not come from an address of Safaricom's."
    ids = (callback.merchant_request_id, callback.checkout_request_id)
    ours = (payment.merchant_request_id, payment.checkout_request_id)
    if payment.checkout_request_id and ids != ours:
        return "Its request ids are not those M-Pesa gave the attempt."
    if payment.rung_at is None:
        return "M-Pesa was never asked for this attempt."
    return ""


def _doubt_its_end(callback: StkCallback) -> str:
    if callback.succeeded or is_terminal_failure(callback.result_code):
        return ""
    return f"{callback.result_code} is not a code that ends a payment."


def _adopt_ids(payment: OrderPayment, callback: StkCallback) -> None:
    """Learn the request ids from the callback where the answer to the prompt was lost or late."""
    if not payment.checkout_request_id:
        payment.merchant_request_id = callback.merchant_request_id
        payment.checkout_request_id = callback.checkout_request_id
        payment.save(update_fields=["merchant_request_id", "checkout_request_id"])


def _outcome(callback: StkCallback) -> Outcome:
    return Outcome(
        succeeded=callback.succeeded,
        code=callback.result_code,
        text=callback.description,
        door=Door.CALLBACK,
        amount=callback.amount,
        receipt=callback.receipt,
        paid_at=callback.paid_at,
    )


def _write(event: GatewayEvent, state: str, note: str) -> None:
    event.state = state
    event.note = note[:200]
    event.applied_at = timezone.now()
    event.save(update_fields=["state", "note", "applied_at", "payment"])
