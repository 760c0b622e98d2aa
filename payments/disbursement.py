"""Sending what is owed, to buyers and to sellers, and finding out what became of it.

As with prompts: a row is committed before M-Pesa hears of it, turns ``unknown`` just before the
call, and no lock is held while M-Pesa is asked. An unclear answer is never a failure.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from omachemainproj.background import background_task
from omachemainproj.compiled_queries import locked_row

from . import gateway
from .daraja.client import Conversation
from .daraja.errors import DarajaDuplicate, DarajaRefused, DarajaUnknown, Refusal
from .daraja.result_codes import PayoutReason, b2c_failure
from .models import MoneyOut, Payout, Receipt, Refund, TransferStatus, Way
from .payouts.services import (
    next_day,
    refuse_payout,
    release_daily_limit,
    reserve_daily_limit,
    retry_payout,
)
from .refunds.services import mark_refused
from .transfer_policy import are_payouts_stopped, stop_payouts

Transfer = TypeVar("Transfer", Refund, Payout)

logger = logging.getLogger(__name__)

#: When M-Pesa is asked about what it has not spoken of, in seconds after it was sent; then a
#: person looks. Reversals have been seen to take hours.
CHECK_AFTER = (30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600)
#: Nothing is asked about more often than this.
LEAST_BETWEEN = timedelta(seconds=20)
#: Until what could not be sent, for nobody was reached, is tried again.
TRY_AGAIN = timedelta(minutes=1)
#: Refusals that have nothing to do with what was sent: it is sent again as it is.
RETRYABLE = {Refusal.CONFIGURATION, Refusal.BUSY_GATEWAY, Refusal.UNREACHABLE}
#: Until it is seen again whether a receipt's number has come, or a stop is over.
LOOK_AGAIN = timedelta(minutes=1)
#: A status query found nothing under the id: nothing was ever taken, and it may be sent again.
NOT_FOUND = "local.not_found"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What differs between refunds and payouts."""

    name: str
    #: When to look again, where a row that is due must not leave yet.
    keep_back: Callable[[Any, datetime], datetime | None]
    #: What to undo, where a row that was to leave certainly has not and will be sent again.
    has_not_left: Callable[[Any], None]
    refuse: Callable[..., str]


@background_task
def process_refund(refund_id: int) -> None:
    """Send a refund that is due, or ask what became of one, if it is time to.

    Safe to repeat, anywhere, at once: one caller claims it by setting the next time. Whatever is
    sent again goes under the same id, by which M-Pesa knows a repeat.
    """
    _process(Refund, refund_id)


@background_task
def process_payout(payout_id: int) -> None:
    """Do for a payout as for a refund; let another carry what time may have mended."""
    refused = Payout.objects.refused().due(timezone.now()).filter(pk=payout_id)
    if not (refused.exists() and retry_payout(payout_id)):
        _process(Payout, payout_id)


def _process(model: type[Transfer], row_id: int) -> None:
    now = timezone.now()
    claimed = _claim(model, row_id, now)
    if claimed is None:
        return
    was_sent, row = claimed
    if not was_sent or _was_never_taken(row):
        _send(row)
    else:
        _query_status(row)


@transaction.atomic
def _claim(model: type[Transfer], row_id: int, now: datetime) -> tuple[bool, Transfer] | None:
    """Take a row for one caller; tell whether M-Pesa may know of it already."""
    row = locked_row(model, row_id)
    if row.next_check_at is None or row.next_check_at > now:
        return None
    stopped = are_payouts_stopped()
    if row.is_under_way and stopped:
        # A question is signed by the initiator too, and would help to lock it.
        _postpone(row, now + LOOK_AGAIN)
        return None
    if row.is_under_way:
        row.checks += 1
        row.next_check_at = _next_check(row, now)
        row.save(update_fields=["checks", "next_check_at"])
        return True, row
    if row.status != TransferStatus.DUE:
        return None
    later = now + LOOK_AGAIN if stopped else _kind(row).keep_back(row, now)
    if later is not None:
        _postpone(row, later)
        return None
    row.status, row.sent_at = TransferStatus.UNKNOWN, now
    row.next_check_at = now + timedelta(seconds=CHECK_AFTER[0])
    row.save(update_fields=["status", "sent_at", "next_check_at"])
    return False, row


def _postpone(row: Transfer, until: datetime) -> None:
    type(row).objects.filter(pk=row.pk).update(next_check_at=until)


def _awaits_receipt_number(refund: Refund, now: datetime) -> datetime | None:
    """Keep a refund back while money of the same order is proven and not named.

    Until it is, two receipts may be one, and nothing is given back.
    """
    if refund.order_id is None:
        return None
    unnamed = Receipt.objects.without_number().filter(order=refund.order_id)
    return now + LOOK_AGAIN if unnamed.exists() else None


def _daily_limit_reached(payout: Payout, now: datetime) -> datetime | None:
    """Keep a payout back when as much as may leave in a day has left. Else it is counted in."""
    return None if reserve_daily_limit(payout, now) else next_day(now)


_KINDS: dict[type[MoneyOut], _Kind] = {
    Refund: _Kind("refund", _awaits_receipt_number, lambda refund: None, mark_refused),
    Payout: _Kind("payout", _daily_limit_reached, release_daily_limit, refuse_payout),
}


def _kind(row: MoneyOut) -> _Kind:
    return _KINDS[type(row)]


def _is_reversal(row: MoneyOut) -> bool:
    return isinstance(row, Refund) and row.way == Way.REVERSAL


def _was_never_taken(row: MoneyOut) -> bool:
    """Whether to send it again, which is safe: an id is paid once, a payment reversed once."""
    if row.status != TransferStatus.UNKNOWN:
        return False
    return _is_reversal(row) or row.result_code == NOT_FOUND


def _send(row: Transfer) -> None:
    """Ask M-Pesa, and write down what it answered. The row is claimed already."""
    claimed = type(row).objects.filter(pk=row.pk, status=TransferStatus.UNKNOWN)
    name = _kind(row).name
    try:
        accepted = _request(row)
    except DarajaRefused as refusal:
        _record_refusal(row, refusal)
    except DarajaDuplicate as known:
        logger.warning("%s %s: %s", name, row.pk, known)
        claimed.update(result_text=str(known)[:200], result_code="")
    except DarajaUnknown as silence:
        logger.warning("%s %s: no clear answer: %s", name, row.pk, silence)
        claimed.update(result_text=str(silence)[:200], result_code="")
    else:
        # The result may have been faster, and then knows the end already.
        told = {"conversation_id": accepted.conversation_id, "result_code": "", "result_text": ""}
        if _is_reversal(row):
            told["reversal_conversation_id"] = accepted.originator_conversation_id
        claimed.update(status=TransferStatus.SENT, **told)


def _request(row: MoneyOut) -> Conversation:
    address = gateway.callback_url(row.callback_token)
    about: dict[str, Any] = {
        "amount": row.amount,
        "remarks": f"{_kind(row).name.capitalize()} {row.pk}",
        "result_url": address,
        "queue_timeout_url": address,
    }
    if isinstance(row, Refund) and row.way == Way.REVERSAL:
        return gateway.daraja().reversal(receipt=row.receipt.number, **about)
    return gateway.daraja().b2c_payment(
        phone=row.phone,
        originator_conversation_id=row.originator_conversation_id,
        **about,
    )


def _record_refusal(row: Transfer, refusal: DarajaRefused) -> None:
    """This request was certainly not processed. An earlier one under the same id may have been."""
    kind = _kind(row)
    logger.warning("%s %s: M-Pesa did not take it: %s", kind.name, row.pk, refusal)
    claimed = type(row).objects.filter(pk=row.pk, status=TransferStatus.UNKNOWN)
    if refusal.kind == Refusal.CONFIGURATION:
        stop_payouts(f"M-Pesa did not take a {kind.name}: {refusal}")
    if row.checks:
        claimed.update(result_text=str(refusal)[:200])
    elif refusal.kind in RETRYABLE or not refusal.code:
        with transaction.atomic():
            later = timezone.now() + TRY_AGAIN
            if claimed.update(
                status=TransferStatus.DUE, next_check_at=later, result_text=str(refusal)[:200]
            ):
                kind.has_not_left(row)
    else:
        kind.refuse(
            row.pk,
            code=refusal.code or f"refused.{refusal.kind}",
            text=refusal.message,
            reason=b2c_failure(refusal.code) or PayoutReason.OTHER,
        )


def _query_status(row: MoneyOut) -> None:
    """Ask what became of it; the answer is posted to an address of its own."""
    name, address = _kind(row).name, gateway.callback_url(row.status_token)
    about = {"originator_conversation_id": row.originator_conversation_id}
    if isinstance(row, Refund) and row.way == Way.REVERSAL:
        # A reversal happens at the number that was paid, under the id its answer named.
        about = {
            "originator_conversation_id": row.reversal_conversation_id,
            "shortcode": settings.DARAJA_PARTY_B or settings.DARAJA_SHORTCODE,
        }
    try:
        gateway.daraja().transaction_status(**about, result_url=address, queue_timeout_url=address)
    except DarajaRefused as refusal:
        logger.warning("%s %s could not be asked about: %s", name, row.pk, refusal)
        if refusal.kind == Refusal.CONFIGURATION:
            stop_payouts(f"M-Pesa did not take a question: {refusal}")
    except DarajaUnknown as silence:
        logger.info("%s %s: no answer to the question: %s", name, row.pk, silence)


def _next_check(row: MoneyOut, now: datetime) -> datetime | None:
    sent_at = row.sent_at or row.created_at
    later = (sent_at + timedelta(seconds=seconds) for seconds in CHECK_AFTER)
    return next((at for at in later if at > now + LEAST_BETWEEN), None)
