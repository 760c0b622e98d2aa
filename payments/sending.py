"""Asking M-Pesa to give money back, and asking what became of it.

As with prompts: a refund is committed before M-Pesa hears of it, turns ``unknown`` just before the
call, and no lock is held while M-Pesa is asked. An unclear answer is never a failure.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from omachemainproj.soon import duty
from omachemainproj.statements import locked_row

from . import gateway
from .daraja.errors import DarajaDuplicate, DarajaRefused, DarajaUnknown, Refusal
from .daraja.payout_codes import PayoutReason, payout_failure
from .models import Receipt, Refund, RefundStatus, Way
from .refunds import are_payouts_stopped, refuse, stop_payouts

logger = logging.getLogger(__name__)

#: When M-Pesa is asked about a refund it has not spoken of, in seconds after it was sent; then a
#: person looks. Reversals have been seen to take hours.
CHECK_AFTER = (30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600)
#: No refund is asked about more often than this.
LEAST_BETWEEN = timedelta(seconds=20)
#: Until a refund that could not be sent, for nobody was reached, is tried again.
TRY_AGAIN = timedelta(minutes=1)
#: Refusals that have nothing to do with the refund: it is sent again as it is.
NOT_ITS_FAULT = {Refusal.CONFIGURATION, Refusal.BUSY_GATEWAY, Refusal.UNREACHABLE}
#: Until it is seen again whether a receipt's number has come, or a stop is over.
LOOK_AGAIN = timedelta(minutes=1)
#: A status query found nothing under the id: nothing was ever taken, and it may be sent again.
NOT_FOUND = "local.not_found"


@duty
def look_after_refund(refund_id: int) -> None:
    """Send a refund that is due, or ask what became of one, if it is time to.

    Safe to repeat, anywhere, at once: one caller claims it by setting the next time. Whatever is
    sent again goes under the same id, by which M-Pesa knows a repeat.
    """
    now = timezone.now()
    claimed = _claim(refund_id, now)
    if claimed is None:
        return
    was_sent, refund = claimed
    if not was_sent or _was_never_taken(refund):
        _send(refund)
    else:
        _ask(refund)


@transaction.atomic
def _claim(refund_id: int, now: datetime) -> tuple[bool, Refund] | None:
    """Take a refund for one caller; tell whether M-Pesa may know of it already."""
    refund = locked_row(Refund, refund_id)
    if refund.next_check_at is None or refund.next_check_at > now:
        return None
    stopped = are_payouts_stopped()
    if refund.is_under_way and stopped:
        # A question is signed by the initiator too, and would help to lock it.
        Refund.objects.filter(pk=refund_id).update(next_check_at=now + LOOK_AGAIN)
        return None
    if refund.is_under_way:
        refund.checks += 1
        refund.next_check_at = _next_check(refund, now)
        refund.save(update_fields=["checks", "next_check_at"])
        return True, refund
    if refund.status != RefundStatus.DUE:
        return None
    if stopped or _number_is_to_come(refund):
        Refund.objects.filter(pk=refund_id).update(next_check_at=now + LOOK_AGAIN)
        return None
    refund.status, refund.sent_at = RefundStatus.UNKNOWN, now
    refund.next_check_at = now + timedelta(seconds=CHECK_AFTER[0])
    refund.save(update_fields=["status", "sent_at", "next_check_at"])
    return False, refund


def _number_is_to_come(refund: Refund) -> bool:
    """Whether money of the same order has been proven and not been named.

    Until it is, two receipts may be one, and nothing is given back.
    """
    if refund.order_id is None:
        return False
    return Receipt.objects.unnamed().filter(order=refund.order_id).exists()


def _was_never_taken(refund: Refund) -> bool:
    """Whether to send it again, which is safe: an id is paid once, a payment reversed once."""
    if refund.status != RefundStatus.UNKNOWN:
        return False
    return refund.way == Way.REVERSAL or refund.result_code == NOT_FOUND


def _send(refund: Refund) -> None:
    """Ask M-Pesa, and write down what it answered. The refund is claimed already."""
    claimed = Refund.objects.filter(pk=refund.pk, status=RefundStatus.UNKNOWN)
    addresses = {
        "result_url": gateway.callback_url(refund.callback_token),
        "queue_timeout_url": gateway.callback_url(refund.callback_token),
    }
    remarks = f"Refund {refund.pk}"
    try:
        if refund.way == Way.REVERSAL:
            accepted = gateway.daraja().reverse(
                receipt=refund.receipt.number, amount=refund.amount, remarks=remarks, **addresses
            )
        else:
            accepted = gateway.daraja().pay(
                phone=refund.phone,
                amount=refund.amount,
                originator_conversation_id=refund.originator_conversation_id,
                remarks=remarks,
                **addresses,
            )
    except DarajaRefused as refusal:
        _not_taken(refund, refusal)
    except DarajaDuplicate as known:
        logger.warning("refund %s: %s", refund.pk, known)
        claimed.update(result_text=str(known)[:200], result_code="")
    except DarajaUnknown as silence:
        logger.warning("refund %s: no clear answer: %s", refund.pk, silence)
        claimed.update(result_text=str(silence)[:200], result_code="")
    else:
        # The result may have been faster, and then knows the end already.
        claimed.update(
            status=RefundStatus.SENT,
            conversation_id=accepted.conversation_id,
            reversal_conversation_id=accepted.originator_conversation_id
            if refund.way == Way.REVERSAL
            else "",
            result_code="",
            result_text="",
        )


def _not_taken(refund: Refund, refusal: DarajaRefused) -> None:
    """This request was certainly not processed. An earlier one under the same id may have been."""
    logger.warning("refund %s: M-Pesa did not take it: %s", refund.pk, refusal)
    claimed = Refund.objects.filter(pk=refund.pk, status=RefundStatus.UNKNOWN)
    if refusal.kind == Refusal.CONFIGURATION:
        stop_payouts(f"M-Pesa did not take a refund: {refusal}")
    if refund.checks:
        claimed.update(result_text=str(refusal)[:200])
    elif refusal.kind in NOT_ITS_FAULT or not refusal.code:
        claimed.update(
            status=RefundStatus.DUE,
            next_check_at=timezone.now() + TRY_AGAIN,
            result_text=str(refusal)[:200],
        )
    else:
        refuse(
            refund.pk,
            code=refusal.code or f"refused.{refusal.kind}",
            text=refusal.message,
            reason=payout_failure(refusal.code) or PayoutReason.OTHER,
        )


def _ask(refund: Refund) -> None:
    """Ask what became of it; the answer is posted to an address of its own."""
    address = gateway.callback_url(refund.status_token)
    about = {"originator_conversation_id": refund.originator_conversation_id}
    if refund.way == Way.REVERSAL:
        # A reversal happens at the number that was paid, under the id its answer named.
        about = {
            "originator_conversation_id": refund.reversal_conversation_id,
            "shortcode": settings.DARAJA_PARTY_B or settings.DARAJA_SHORTCODE,
        }
    try:
        gateway.daraja().ask_status(**about, result_url=address, queue_timeout_url=address)
    except DarajaRefused as refusal:
        logger.warning("refund %s could not be asked about: %s", refund.pk, refusal)
        if refusal.kind == Refusal.CONFIGURATION:
            stop_payouts(f"M-Pesa did not take a question: {refusal}")
    except DarajaUnknown as silence:
        logger.info("refund %s: no answer to the question: %s", refund.pk, silence)


def _next_check(refund: Refund, now: datetime) -> datetime | None:
    sent_at = refund.sent_at or refund.created_at
    later = (sent_at + timedelta(seconds=seconds) for seconds in CHECK_AFTER)
    return next((at for at in later if at > now + LEAST_BETWEEN), None)
