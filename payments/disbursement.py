"""Disbursement: sends refunds and payouts, and queries their status.

As with STK pushes, a row is committed before the request, becomes ``unknown`` just before it, and
no lock is held during it. An unclear answer is never treated as a failure.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import transaction
from django.utils import timezone

from omachemainproj.locking import lock_row
from omachemainproj.task_registry import background_task

from . import gateway
from .daraja.client import Conversation
from .daraja.errors import (
    RETRYABLE,
    DarajaDuplicate,
    DarajaRefusal,
    DarajaRefused,
    DarajaUnknown,
)
from .daraja.result_codes import TransferFailure
from .models import (
    TRANSFER_QUERIES,
    Payout,
    PayoutStop,
    Refund,
    Transfer,
    TransferStatus,
)
from .payouts.services import retry_payout
from .shortcodes import paid_shortcode, sending_shortcode, uses_retired_shortcode
from .transaction_status import query_transaction_status
from .transfers import (
    Readiness,
    handler_of,
    mark_failed,
    mark_received,
    next_day,
    release_daily_limit,
    reserve_daily_limit,
)

Row = TypeVar("Row", bound=Transfer)

logger = logging.getLogger(__name__)

#: Delay before a transfer that M-Pesa did not accept is sent again. It doubles each time, up to the
#: longest, at which staff are alerted.
TRY_AGAIN, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
KEEPS_BEING_REJECTED = "M-Pesa keeps rejecting this request. It is retried every hour."
#: Refusals that are not about the transfer: it is sent again unchanged.
RETRIED_REFUSALS = RETRYABLE | {DarajaRefusal.CONFIGURATION}
#: Delay until a stop of payouts is checked again.
RECHECK_DELAY = timedelta(minutes=1)


@background_task(calls="M-Pesa")
def process_refund(refund_id: int) -> None:
    """Send a refund that is due, or query its status, if it is time to.

    Safe to repeat, on any worker, concurrently: one caller claims it by setting the next time. A
    resend has the same id, by which M-Pesa recognises it.
    """
    _process(Refund, refund_id)


@background_task(calls="M-Pesa")
def process_payout(payout_id: int) -> None:
    """Send a payout that is due, or query its status, like ``process_refund``; or retry one that
    M-Pesa refused for a reason that passes."""
    refused = Payout.objects.refused().due(timezone.now()).filter(pk=payout_id)
    if not (refused.exists() and retry_payout(payout_id)):
        _process(Payout, payout_id)


def _process(model: type[Row], row_id: int) -> None:
    now = timezone.now()
    claimed = _claim(model, row_id, now)
    if claimed is None:
        return
    row = claimed.row
    if claimed.receipt:
        _query_payment(row, claimed.receipt)
    elif not claimed.was_sent:
        _send(row, waited=claimed.waited)
    elif _is_sent_again(row):
        # A payment it depends on may be in doubt by now.
        if handler_of(row).is_covered(row):
            _send(row)
    else:
        _query_status(row)


class _Claimed(NamedTuple, Generic[Row]):
    """A row claimed by one caller.

    ``was_sent``: M-Pesa may have received it before. ``receipt``: the receipt number to query
    first, "" for none. ``waited``: the delay since M-Pesa last did not accept it.
    """

    row: Row
    was_sent: bool = False
    receipt: str = ""
    waited: timedelta = timedelta(0)


@transaction.atomic
def _claim(model: type[Row], row_id: int, now: datetime) -> _Claimed[Row] | None:
    """Claim a row for one caller, if it is due and nothing postpones it."""
    row = lock_row(model, row_id)
    if row.next_check_at is None or row.next_check_at > now:
        return None
    stopped = PayoutStop.objects.transfers_are_stopped()
    if row.is_under_way and stopped and not _may_be_queried(row):
        _postpone(row, now + RECHECK_DELAY)
        return None
    if row.is_under_way:
        row.checks += 1
        sent_at = row.sent_at or row.created_at
        row.next_check_at = TRANSFER_QUERIES.next_at(sent_at, now, row.checks)
        row.save(update_fields=["checks", "next_check_at"])
        return _Claimed(row, was_sent=True)
    if row.awaits_approval or (row.status != TransferStatus.DUE and not row.only_queries_payment):
        return None
    if stopped:
        readiness = Readiness.postponed_until(now + RECHECK_DELAY)
    else:
        readiness = handler_of(row).check_readiness(row, now)
    if readiness.look_again_at is not None:
        _postpone(row, readiness.look_again_at)
    return _claim_unheld(row, now) if readiness.may_be_sent else None


def _claim_unheld(row: Row, now: datetime) -> _Claimed[Row] | None:
    """Claim a row that nothing postpones, unless the day's limit is used up."""
    receipt = handler_of(row).receipt_to_query(row, now)
    is_sent = not receipt and row.status == TransferStatus.DUE
    if is_sent and not reserve_daily_limit(row, now):
        _postpone(row, next_day(now))
        return None
    waited = _wait_before(row)
    # Not sent again from another short code, where M-Pesa may not recognise its id: queried.
    was_sent = is_sent and uses_retired_shortcode(row)
    if is_sent:
        row.status = TransferStatus.UNKNOWN
        if not was_sent:
            row.sent_at, row.shortcode = now, sending_shortcode(row)
        row.next_check_at = now + TRANSFER_QUERIES.first_after(row.checks)
        row.save(update_fields=["status", "sent_at", "shortcode", "next_check_at"])
    if not receipt and not is_sent:
        return None
    return _Claimed(row, was_sent=was_sent, receipt=receipt, waited=waited)


def _wait_before(row: Transfer) -> timedelta:
    """The delay that was planned after M-Pesa last did not accept a row; zero if there was none.

    Computed from the planned time, not the actual one: a delay because the clock was down does not
    count as a refusal. Zero too if something else postponed the row for longer.
    """
    if row.sent_at is None or row.next_check_at is None:
        return timedelta(0)
    planned = row.next_check_at - row.sent_at
    return planned if planned <= LONGEST_WAIT + TRY_AGAIN else timedelta(0)


def _postpone(row: Transfer, until: datetime) -> None:
    row.next_check_at = until
    row.save(update_fields=["next_check_at"])


def _may_be_queried(row: Transfer) -> bool:
    """Whether M-Pesa may be queried about a row while transfers are stopped.

    After a restore it may. Not if M-Pesa rejects the initiator, and not by sending the row again.
    """
    return not PayoutStop.objects.queries_are_stopped() and not _is_sent_again(row)


def _is_sent_again(row: Transfer) -> bool:
    """Whether to send it again instead of querying it: M-Pesa reverses a payment once."""
    return row.status == TransferStatus.UNKNOWN and row.is_reversal


def _send(row: Transfer, *, waited: timedelta = timedelta(0)) -> None:
    """Send a claimed row to M-Pesa and record its answer."""
    claimed = row.still(TransferStatus.UNKNOWN)
    try:
        accepted = _request(row)
    except DarajaRefused as refusal:
        _record_refusal(row, refusal, waited)
    except DarajaDuplicate as known:
        logger.warning("%s %s: %s", row.kind, row.pk, known)
        claimed.update(result_text=str(known)[:200], result_code="")
    except DarajaUnknown as silence:
        logger.warning("%s %s: no clear answer: %s", row.kind, row.pk, silence)
        claimed.update(result_text=str(silence)[:200], result_code="")
    else:
        # The result may have arrived first, and recorded the outcome.
        ids = {"conversation_id": accepted.conversation_id}
        if row.is_reversal:
            ids["reversal_conversation_id"] = accepted.originator_conversation_id
        answer = {"result_code": "", "result_text": "", **ids}
        if not claimed.update(status=TransferStatus.SENT, **answer):
            mark_received(row, answer)


def _request(row: Transfer) -> Conversation:
    address = gateway.callback_url(row.callback_token)
    about: dict[str, Any] = {
        "amount": row.amount,
        "remarks": f"{row.kind.capitalize()} {row.pk}",
        "result_url": address,
        "queue_timeout_url": address,
    }
    if row.is_reversal:
        receipt = row.receipt_to_reverse
        about["shortcode"] = row.shortcode or sending_shortcode(row)
        return gateway.daraja().reversal(receipt=receipt, **about)
    return gateway.daraja().b2c_payment(
        phone=row.phone,
        originator_conversation_id=row.originator_conversation_id,
        **about,
    )


def _record_refusal(row: Transfer, refusal: DarajaRefused, waited: timedelta) -> None:
    """Record that M-Pesa did not accept this request. An earlier one with the same id may have
    been."""
    logger.warning("%s %s: M-Pesa rejected it: %s", row.kind, row.pk, refusal)
    claimed = row.still(TransferStatus.UNKNOWN)
    if refusal.kind == DarajaRefusal.CONFIGURATION:
        PayoutStop.objects.stop_transfers(f"M-Pesa rejected a {row.kind}: {refusal}")
    if row.checks:
        claimed.update(result_text=str(refusal)[:200])
        _query_again(row)
    elif refusal.kind in RETRIED_REFUSALS or not refusal.code:
        _send_again_later(row, refusal, waited)
    else:
        reason = row.failure_reason(refusal.code) or TransferFailure.OTHER
        mark_failed(row, code=refusal.code, text=refusal.message, reason=reason)


@transaction.atomic
def _send_again_later(row: Transfer, refusal: DarajaRefused, waited: timedelta) -> None:
    """Make a row due again that M-Pesa did not accept, each time later; at the longest delay alert
    staff."""
    # A stop postpones the other rows. This one is sent as soon as it is lifted, to test the
    # settings.
    is_stopped = refusal.kind == DarajaRefusal.CONFIGURATION
    wait = TRY_AGAIN if is_stopped else min(max(2 * waited, TRY_AGAIN), LONGEST_WAIT)
    changes: dict[str, Any] = {"next_check_at": timezone.now() + wait, "shortcode": ""}
    if wait == LONGEST_WAIT and KEEPS_BEING_REJECTED not in row.note:
        changes |= {
            "note": f"{KEEPS_BEING_REJECTED} {row.note}".strip()[:200],
            "unacknowledged": True,
        }
        logger.error("%s %s: %s", row.kind, row.pk, KEEPS_BEING_REJECTED)
    claimed = row.still(TransferStatus.UNKNOWN)
    if claimed.update(status=TransferStatus.DUE, result_text=str(refusal)[:200], **changes):
        release_daily_limit(row)


def _query_status(row: Transfer) -> None:
    """Query its status; the answer is posted to a callback URL of its own."""
    # At the short code it was sent from. A reversal belongs to the one that was paid.
    shortcode = row.shortcode or sending_shortcode(row)
    _ask(row, {"originator_conversation_id": row.query_id, "shortcode": shortcode})


def _query_payment(row: Transfer, receipt: str) -> None:
    """Query whether the payment still stands before its money leaves another way."""
    _ask(row, {"receipt": receipt, "shortcode": paid_shortcode(receipt)})


def _ask(row: Transfer, about: dict[str, str]) -> None:
    if not query_transaction_status(token=row.status_token, name=f"{row.kind} {row.pk}", **about):
        _query_again(row)


def _query_again(row: Transfer) -> None:
    """Schedule another query if the last one failed or was not answered."""
    now = timezone.now()
    row.still(TransferStatus.UNKNOWN, TransferStatus.SENT).filter(next_check_at=None).update(
        next_check_at=TRANSFER_QUERIES.query_again_at(
            row.sent_at or row.created_at, now, row.checks
        )
    )
