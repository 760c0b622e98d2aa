"""M-Pesa's messages about outgoing money: results, queue timeouts, answers to status queries."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TypeGuard

from django.db.models import Q
from django.utils import timezone

from omachemainproj.background import enqueue_after_commit
from payments.daraja.result_codes import (
    TransactionEnd,
    TransferFailure,
    b2c_failure,
    transaction_end,
)
from payments.daraja.results import QueueTimeout, Result, read_transfer_callback
from payments.daraja.values import UnreadableCallback, says_reversal
from payments.disbursement import process_refund
from payments.models import (
    EventState,
    GatewayEvent,
    Payout,
    PayoutStop,
    Refund,
    Transfer,
    TransferStatus,
)
from payments.models.refunds import UNSENT
from payments.models.transfers import RETURNED
from payments.shortcodes import uses_retired_shortcode
from payments.transfers import handler_of, mark_done, mark_failed, mark_not_received, mark_refused

from .receipt_status import UNKNOWN_TRANSACTION, apply_answer

logger = logging.getLogger(__name__)


def find_transfer(token: str) -> Refund | Payout | None:
    """The refund or payout with this callback token, for its result or for answers to status
    queries.

    Never found by an empty token.
    """
    if not token:
        return None
    addresses = Q(callback_token=token) | Q(status_token=token)
    refund: Refund | None = Refund.objects.filter(addresses).first()
    return refund or Payout.objects.filter(addresses).first()


def handle(event: GatewayEvent, row: Refund | Payout) -> None:
    """Process a message to one of the callback URLs of ``row``."""
    try:
        message = read_transfer_callback(bytes(event.body))
    except UnreadableCallback as error:
        event.set_state(EventState.UNREADABLE, str(error))
        return
    # The event's foreign key to the row is named after the row's kind.
    setattr(event, row.kind, row)
    if isinstance(message, QueueTimeout):
        # M-Pesa returns a request that waited too long. It may still be carried out.
        _schedule_status_query(row)
        event.set_state(
            EventState.APPLIED,
            "M-Pesa timed out. This is not a rejection; its status is being queried.",
        )
    elif event.is_from_unknown_ip:
        _schedule_status_query(row)
        event.set_state(
            EventState.UNMATCHED,
            "It did not come from an address of Safaricom's. M-Pesa is queried.",
        )
    elif event.token == row.status_token and _is_about_payment(row, message):
        heard_at = row.events.first_received(event)
        event.set_state(EventState.APPLIED, _apply_answer_about_payment(row, message, heard_at))
    elif event.token == row.status_token:
        heard_at = row.events.first_received(event)
        event.set_state(EventState.APPLIED, _apply_answer(row, message, heard_at))
    else:
        event.set_state(EventState.APPLIED, _apply_result(row, message))


def _apply_result(row: Transfer, result: Result) -> str:
    if result.succeeded:
        return _apply_success(
            row, number=result.transaction_id, amount=result.amount, text=result.description
        )
    reason = row.failure_reason(result.result_code)
    if reason is None:
        _schedule_status_query(row)
        return f"{result.result_code} is not a final result code. M-Pesa is queried."
    return mark_failed(row, code=result.result_code, text=result.description, reason=reason)


def _apply_success(row: Transfer, *, number: str, amount: int | None, text: str) -> str:
    """Record that a transfer was made, unless M-Pesa has said since that it reversed it: then this
    message is older, and the money is still due."""
    if handler_of(row).lock(row.pk).was_returned:
        return "It was reversed since. Nothing was changed."
    return mark_done(row, number=number, amount=amount, text=text)


def _apply_answer(row: Transfer, result: Result, heard_at: datetime) -> str:
    """Apply the answer to a status query, whose own success says nothing about the transfer."""
    if not result.succeeded:
        return _no_answer(row, result, heard_at)
    status = result.transaction_status
    end = transaction_end(status)
    if says_reversal(status) and not row.is_reversal:
        # It was sent and reversed: nobody has the money, and it is still due.
        return mark_refused(row, code=RETURNED, text=status, reason=TransferFailure.OTHER)
    if end == TransactionEnd.COMPLETED:
        return _apply_success(row, number=result.receipt, amount=result.amount, text=status)
    if end == TransactionEnd.NOT_DONE and row.is_reversal:
        # If a reversal was requested twice, the second is declined because the first was carried
        # out, and the query was about the second. A payment is reversed once: the result of another
        # request will show which it was.
        under_way = row.still(TransferStatus.SENT)
        under_way.update(status=TransferStatus.UNKNOWN, result_code="")
        _schedule_status_query(row)
        return f"M-Pesa reports the status {status} without a reason. It is requested again."
    if end == TransactionEnd.NOT_DONE:
        return mark_refused(
            row, code=f"status.{status.lower()}", text=status, reason=TransferFailure.OTHER
        )
    return f"M-Pesa reports the status {status or 'unknown'}."


def _is_about_payment(row: Transfer, answer: Result) -> TypeGuard[Refund]:
    """Whether M-Pesa answers the query that was made before money was sent to a phone: whether the
    payment still stands.

    Answers about the transfer come to the same URL. An answer about the payment may be repeated
    when the money is under way already; its "completed" is then about the payment, not the
    transfer.
    """
    if not isinstance(row, Refund):
        return False
    names_it = answer.receipt != "" and answer.receipt == row.receipt.number
    return row.is_unsent or (names_it and not row.is_reversal)


def _apply_answer_about_payment(refund: Refund, result: Result, heard_at: datetime) -> str:
    """Apply what M-Pesa reports about a payment that is to be refunded other than by reversal.

    An answer that is older than the last one decides nothing, and one of hours ago sends nothing:
    M-Pesa is queried again (``Refund.must_query_payment``). The last one may be about another
    refund of the payment: that it still stands lets this one leave too.
    """
    note = apply_answer(refund.receipt, result, heard_at)
    now = timezone.now()
    unsent = refund.still(*UNSENT)
    if result.succeeded and transaction_end(result.transaction_status) == TransactionEnd.NOT_DONE:
        current = unsent.exclude(receipt_checked_at__gt=heard_at)
        current.update(status=TransferStatus.REFUSED, next_check_at=None, note=note[:200])
    elif unsent.filter(receipt_checked_at__gte=heard_at).exists():
        unsent.filter(status=TransferStatus.REFUSED).update(next_check_at=None)
        unsent.filter(status=TransferStatus.DUE, next_check_at__isnull=False).update(
            next_check_at=now
        )
        enqueue_after_commit(process_refund, refund.pk)
    return note


def _no_answer(row: Transfer, result: Result, heard_at: datetime) -> str:
    if b2c_failure(result.result_code) == TransferFailure.INITIATOR:
        PayoutStop.objects.stop_transfers(
            f"M-Pesa does not accept the initiator: {result.result_code}"
        )
    if result.result_code != UNKNOWN_TRANSACTION:
        return f"The query was not answered: {result.result_code} {result.description}"
    if uses_retired_shortcode(row):
        return f"M-Pesa does not know it. It was sent from {row.shortcode}: look on its portal."
    # It may be sent again only if M-Pesa never said that it received the request.
    if mark_not_received(row, heard_at=heard_at):
        return "M-Pesa does not know it. If it is still due, it is sent again with the same id."
    return "M-Pesa does not know it yet."


def _schedule_status_query(row: Transfer) -> None:
    now = timezone.now()
    later = row.still(TransferStatus.UNKNOWN, TransferStatus.SENT)
    later.filter(Q(next_check_at__isnull=True) | Q(next_check_at__gt=now)).update(next_check_at=now)
