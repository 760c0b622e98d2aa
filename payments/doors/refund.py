"""What M-Pesa posts about money that goes back: results, late notices, answers to questions."""

from __future__ import annotations

import logging

from django.db.models import Q
from django.utils import timezone

from payments.daraja.payout_codes import (
    PayoutReason,
    TransactionEnd,
    payout_failure,
    reversal_failure,
    transaction_end,
)
from payments.daraja.results import Result, read_queue_timeout, read_result
from payments.daraja.values import UnreadableCallback
from payments.models import EventState, GatewayEvent, Refund, RefundStatus, Way
from payments.refunds import finish, refuse, stop_payouts
from payments.sending import NOT_FOUND

from .origin import is_from_elsewhere

logger = logging.getLogger(__name__)

#: The status query found nothing.
UNKNOWN_TRANSACTION = "SFC_IC0003"


def read(event: GatewayEvent) -> bool:
    """Act on a message about a refund; False when it is not one M-Pesa sends about refunds."""
    try:
        result = read_result(bytes(event.body))
    except UnreadableCallback:
        return _read_late_notice(event)
    refund = _find_refund(event)
    if refund is None:
        event.become(EventState.UNMATCHED, "No refund of ours has this address.")
        return True
    event.refund = refund
    if is_from_elsewhere(event):
        _ask_soon(refund)
        event.become(
            EventState.UNMATCHED, "It did not come from an address of Safaricom's. M-Pesa is asked."
        )
    elif event.token == refund.status_token:
        event.become(EventState.APPLIED, _apply_answer(refund, result))
    else:
        event.become(EventState.APPLIED, _apply_result(refund, result))
    return True


def _read_late_notice(event: GatewayEvent) -> bool:
    """M-Pesa gives a request back that lay too long. It may still be carried out."""
    try:
        read_queue_timeout(bytes(event.body))
    except UnreadableCallback:
        return False
    event.refund = _find_refund(event)
    if event.refund is None:
        event.become(EventState.UNMATCHED, "No refund of ours has this address.")
        return True
    _ask_soon(event.refund)
    event.become(EventState.APPLIED, "M-Pesa was late. That is no refusal: it is asked.")
    return True


def _find_refund(event: GatewayEvent) -> Refund | None:
    """The refund whose address this is. Never looked up when empty."""
    if not event.token:
        return None
    addresses = Q(callback_token=event.token) | Q(status_token=event.token)
    return Refund.objects.filter(addresses).first()


def _apply_result(refund: Refund, result: Result) -> str:
    if result.succeeded:
        return finish(
            refund.pk,
            number=result.transaction_id,
            amount=result.amount,
            text=result.description,
        )
    failure = reversal_failure if refund.way == Way.REVERSAL else payout_failure
    reason = failure(result.result_code)
    if reason == PayoutReason.ALREADY_REVERSED:
        # Whoever did it, the buyer has the money back.
        return finish(refund.pk, number="", code=result.result_code, text=result.description)
    if reason is None:
        _ask_soon(refund)
        return f"{result.result_code} is not a code that ends a refund. M-Pesa is asked."
    return refuse(refund.pk, code=result.result_code, text=result.description, reason=reason)


def _apply_answer(refund: Refund, result: Result) -> str:
    """What a status query found. Its own success says nothing about the refund's."""
    if not result.succeeded:
        return _no_answer(refund, result)
    status = result.transaction_status
    end = transaction_end(status)
    if end == TransactionEnd.COMPLETED:
        return finish(refund.pk, number=result.receipt, amount=result.amount, text=status)
    if end == TransactionEnd.NOT_DONE and refund.way == Way.REVERSAL:
        # Asked for twice, the second is declined because the first was carried out, and it is the
        # second that was asked about. A payment is reversed once: another request tells by its
        # result which it was.
        under_way = Refund.objects.filter(pk=refund.pk, status=RefundStatus.SENT)
        under_way.update(status=RefundStatus.UNKNOWN, result_code="")
        _ask_soon(refund)
        return f"M-Pesa, asked, says {status}, not why. It is asked for again."
    if end == TransactionEnd.NOT_DONE:
        return refuse(
            refund.pk, code=f"status.{status.lower()}", text=status, reason=PayoutReason.OTHER
        )
    return f"M-Pesa, asked, says {status or 'nothing'}."


def _no_answer(refund: Refund, result: Result) -> str:
    if payout_failure(result.result_code) == PayoutReason.INITIATOR:
        stop_payouts(f"M-Pesa does not accept the initiator: {result.result_code}")
    if result.result_code != UNKNOWN_TRANSACTION:
        return f"The question was not answered: {result.result_code} {result.description}"
    # Only where M-Pesa never said that it took the refund may it be sent again.
    unheard = Refund.objects.filter(pk=refund.pk, status=RefundStatus.UNKNOWN, way=Way.B2C)
    if unheard.update(result_code=NOT_FOUND):
        return "M-Pesa does not know it. It is sent again, under the same id."
    return "M-Pesa does not know it yet."


def _ask_soon(refund: Refund) -> None:
    now = timezone.now()
    later = Refund.objects.filter(
        pk=refund.pk, status__in=[RefundStatus.UNKNOWN, RefundStatus.SENT]
    )
    later.filter(Q(next_check_at__isnull=True) | Q(next_check_at__gt=now)).update(next_check_at=now)
