"""Disbursement: sending refunds and payouts, and querying what became of them, and what they go
back of or were earned by.

As with STK pushes: a row is committed before M-Pesa is asked, turns ``unknown`` just before the
call, and no lock is held during it. An unclear answer is never a failure.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from omachemainproj.locking import locked_row
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
from .daraja.result_codes import PayoutReason, b2c_failure, reversal_failure
from .evidence import paid_number, put_in_doubt, reversing_number
from .models import (
    TRANSFER_QUERIES,
    MoneyOut,
    Payout,
    PayoutStop,
    ReceiptQuestion,
    Refund,
    TransferStatus,
    Verification,
)
from .models.evidence import RECEIPT_QUERIES
from .payouts.services import retry_payout
from .transfers import (
    handler_of,
    mark_done,
    mark_refused,
    next_day,
    release_daily_limit,
    reserve_daily_limit,
)

Row = TypeVar("Row", bound=MoneyOut)

logger = logging.getLogger(__name__)

#: Until a transfer is sent again that M-Pesa did not take; it doubles from one time to the next, up
#: to the longest, at which a person is told.
TRY_AGAIN, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
NOT_TAKEN = "M-Pesa does not take it, again and again. It goes on being sent every hour."
#: Refusals that have nothing to do with the transfer: it is sent again as it is.
SENT_AGAIN = RETRYABLE | {DarajaRefusal.CONFIGURATION}
#: Until it is seen again whether payouts are still stopped.
LOOK_AGAIN = timedelta(minutes=1)
#: A status query found nothing under the id: nothing was ever taken, and it may be sent again.
NOT_FOUND = "local.not_found"


@background_task(calls="M-Pesa")
def process_refund(refund_id: int) -> None:
    """Send a refund that is due, or ask what became of one, if it is time to.

    Safe to repeat, anywhere, at once: one caller claims it by setting the next time. Whatever is
    sent again goes under the same id, by which M-Pesa knows a repeat.
    """
    _process(Refund, refund_id)


@background_task(calls="M-Pesa")
def process_payout(payout_id: int) -> None:
    """Do for a payout as for a refund; let another carry what time may have mended."""
    refused = Payout.objects.refused().due(timezone.now()).filter(pk=payout_id)
    if not (refused.exists() and retry_payout(payout_id)):
        _process(Payout, payout_id)


def ask_about_receipt(question_id: int) -> None:
    """Ask M-Pesa about a payment that something waits for, by its number, if it is time to.

    Safe to repeat, anywhere, at once: one caller claims the question by setting the next. Nothing
    is asked about what is confirmed meanwhile, nor while the initiator is not accepted: a question
    is signed by it too.
    """
    now = timezone.now()
    question = ReceiptQuestion.objects.select_related("receipt").get(pk=question_id)
    receipt, this_one = question.receipt, ReceiptQuestion.objects.due(now).filter(pk=question_id)
    if (
        receipt.is_confirmed
        or receipt.verification == Verification.NEVER_CAME
        or not receipt.number
    ):
        this_one.update(next_check_at=None)
        return
    if PayoutStop.objects.questions_are_stopped():
        this_one.update(next_check_at=now + LOOK_AGAIN)
        return
    is_last = question.asked >= len(RECEIPT_QUERIES)
    later = None if is_last else now + RECEIPT_QUERIES[question.asked]
    claimed = this_one.filter(asked=question.asked)
    if not claimed.update(next_check_at=later, asked=F("asked") + (0 if is_last else 1)):
        return
    if not is_last:
        _ask_about_receipt(question)


def _ask_about_receipt(question: ReceiptQuestion) -> None:
    receipt, address = question.receipt, gateway.callback_url(question.token)
    try:
        gateway.daraja().transaction_status(
            receipt=receipt.number,
            shortcode=paid_number(receipt.number),
            result_url=address,
            queue_timeout_url=address,
        )
    except ValueError:
        # Not a number as M-Pesa writes them: it cannot be one of its payments.
        put_in_doubt(receipt.pk, f"{receipt.number} is no number of M-Pesa's.")
    except DarajaRefused as refusal:
        logger.warning("receipt %s could not be asked about: %s", receipt.pk, refusal)
        if refusal.kind == DarajaRefusal.CONFIGURATION:
            PayoutStop.objects.stop_payouts(f"M-Pesa did not take a question: {refusal}")
    except DarajaUnknown as silence:
        logger.info("receipt %s: no answer to the question: %s", receipt.pk, silence)


def _process(model: type[Row], row_id: int) -> None:
    now = timezone.now()
    claimed = _claim(model, row_id, now)
    if claimed is None:
        return
    row = claimed.row
    if claimed.receipt:
        _ask_about_payment(row, claimed.receipt)
    elif not claimed.was_sent:
        _send(row, waited=claimed.waited)
    elif _was_never_taken(row):
        # What it goes back of may have come in doubt since.
        if handler_of(row).is_backed(row):
            _send(row)
    else:
        _query_status(row)


class _Claimed(NamedTuple, Generic[Row]):
    """A row that one caller has to itself.

    ``was_sent``: M-Pesa may know of it already. ``receipt``: the payment it is to be asked about
    first, "" for none. ``waited``: how long it was to wait since it was sent before, and not taken.
    """

    row: Row
    was_sent: bool = False
    receipt: str = ""
    waited: timedelta = timedelta(0)


@transaction.atomic
def _claim(model: type[Row], row_id: int, now: datetime) -> _Claimed[Row] | None:
    """Take a row for one caller, if it is time for it and nothing keeps it back."""
    row = locked_row(model, row_id)
    if row.next_check_at is None or row.next_check_at > now:
        return None
    stopped = PayoutStop.objects.payouts_are_stopped()
    if row.is_under_way and stopped and not _may_be_asked_about(row):
        _postpone(row, now + LOOK_AGAIN)
        return None
    if row.is_under_way:
        row.checks += 1
        sent_at = row.sent_at or row.created_at
        row.next_check_at = TRANSFER_QUERIES.next_at(sent_at, now, row.checks)
        row.save(update_fields=["checks", "next_check_at"])
        return _Claimed(row, was_sent=True)
    if row.awaits_approval or (row.status != TransferStatus.DUE and not row.only_asks):
        return None
    later = now + LOOK_AGAIN if stopped else handler_of(row).hold_until(row, now)
    if later is not None:
        _postpone(row, later)
    # A person may have to look at it first, and it has no time then.
    return None if later or row.next_check_at is None else _claim_unheld(row, now)


def _claim_unheld(row: Row, now: datetime) -> _Claimed[Row] | None:
    """Claim a row that nothing keeps back, unless as much as may leave in a day has left."""
    receipt = handler_of(row).receipt_to_ask_about(row, now)
    is_sent = not receipt and row.status == TransferStatus.DUE
    if is_sent and not reserve_daily_limit(row, now):
        _postpone(row, next_day(now))
        return None
    waited = _wait_before(row)
    if is_sent:
        row.status, row.sent_at = TransferStatus.UNKNOWN, now
        row.next_check_at = now + TRANSFER_QUERIES.first
        row.save(update_fields=["status", "sent_at", "next_check_at"])
    return _Claimed(row, receipt=receipt, waited=waited) if receipt or is_sent else None


def _wait_before(row: MoneyOut) -> timedelta:
    """For how long a row was to wait since it was sent before, and not taken; nothing where it was
    not, or where something else kept it back for longer. That nobody came at that time, as the
    clock stood still, is no refusal of M-Pesa's."""
    if row.sent_at is None or row.next_check_at is None:
        return timedelta(0)
    planned = row.next_check_at - row.sent_at
    return planned if planned <= LONGEST_WAIT + TRY_AGAIN else timedelta(0)


def _postpone(row: MoneyOut, until: datetime) -> None:
    row.next_check_at = until
    row.save(update_fields=["next_check_at"])


def _may_be_asked_about(row: MoneyOut) -> bool:
    """Whether M-Pesa may be asked what became of a row while nothing may leave.

    After a restore it is asked. It is not where the initiator is not accepted, and not by sending
    the row again.
    """
    return not PayoutStop.objects.questions_are_stopped() and not _was_never_taken(row)


def _was_never_taken(row: MoneyOut) -> bool:
    """Whether to send it again, which is safe: an id is paid once, a payment reversed once."""
    if row.status != TransferStatus.UNKNOWN:
        return False
    return row.is_reversal or row.result_code == NOT_FOUND


def _send(row: MoneyOut, *, waited: timedelta = timedelta(0)) -> None:
    """Ask M-Pesa, and write down what it answered. The row is claimed already."""
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
        # The result may have been faster, and then knows the end already.
        ids = {"conversation_id": accepted.conversation_id}
        if row.is_reversal:
            ids["reversal_conversation_id"] = accepted.originator_conversation_id
        claimed.update(status=TransferStatus.SENT, result_code="", result_text="", **ids)


def _request(row: MoneyOut) -> Conversation:
    address = gateway.callback_url(row.callback_token)
    about: dict[str, Any] = {
        "amount": row.amount,
        "remarks": f"{row.kind.capitalize()} {row.pk}",
        "result_url": address,
        "queue_timeout_url": address,
    }
    if row.is_reversal:
        receipt = row.receipt_to_reverse
        about["shortcode"] = reversing_number(receipt)
        return gateway.daraja().reversal(receipt=receipt, **about)
    return gateway.daraja().b2c_payment(
        phone=row.phone,
        originator_conversation_id=row.originator_conversation_id,
        **about,
    )


def _record_refusal(row: MoneyOut, refusal: DarajaRefused, waited: timedelta) -> None:
    """This request was certainly not processed. An earlier one under the same id may have been."""
    logger.warning("%s %s: M-Pesa did not take it: %s", row.kind, row.pk, refusal)
    claimed = row.still(TransferStatus.UNKNOWN)
    if refusal.kind == DarajaRefusal.CONFIGURATION:
        PayoutStop.objects.stop_payouts(f"M-Pesa did not take a {row.kind}: {refusal}")
    if row.checks:
        claimed.update(result_text=str(refusal)[:200])
        _ask_anew(row)
    elif refusal.kind in SENT_AGAIN or not refusal.code:
        _send_again_later(row, refusal, waited)
    else:
        failure = reversal_failure if row.is_reversal else b2c_failure
        reason = failure(refusal.code) or PayoutReason.OTHER
        if reason == PayoutReason.ALREADY_REVERSED:
            # Whoever did it, the buyer has the money back.
            mark_done(row, number="", code=refusal.code, text=refusal.message)
            return
        mark_refused(
            row,
            code=refusal.code or f"refused.{refusal.kind}",
            text=refusal.message,
            reason=reason,
        )


@transaction.atomic
def _send_again_later(row: MoneyOut, refusal: DarajaRefused, waited: timedelta) -> None:
    """Let what M-Pesa did not take be due again, each time later; at last a person sees that."""
    # A stop keeps the others back: whoever ends it sees at once whether the settings are right.
    is_stopped = refusal.kind == DarajaRefusal.CONFIGURATION
    wait = TRY_AGAIN if is_stopped else min(max(2 * waited, TRY_AGAIN), LONGEST_WAIT)
    changes: dict[str, Any] = {"next_check_at": timezone.now() + wait}
    if wait == LONGEST_WAIT and NOT_TAKEN not in row.note:
        changes |= {"note": f"{NOT_TAKEN} {row.note}".strip()[:200], "unacknowledged": True}
        logger.error("%s %s: %s", row.kind, row.pk, NOT_TAKEN)
    claimed = row.still(TransferStatus.UNKNOWN)
    if claimed.update(status=TransferStatus.DUE, result_text=str(refusal)[:200], **changes):
        release_daily_limit(row)


def _query_status(row: MoneyOut) -> None:
    """Ask what became of it; the answer is posted to an address of its own."""
    about = {"originator_conversation_id": row.query_id}
    if row.is_reversal:
        # A reversal happens at the number that was paid.
        about["shortcode"] = reversing_number(row.receipt_to_reverse)
    _ask(row, about)


def _ask_about_payment(row: MoneyOut, receipt: str) -> None:
    """Ask whether the payment still stands whose money is to leave another way."""
    _ask(row, {"receipt": receipt, "shortcode": paid_number(receipt)})


def _ask(row: MoneyOut, about: dict[str, str]) -> None:
    address = gateway.callback_url(row.status_token)
    try:
        gateway.daraja().transaction_status(**about, result_url=address, queue_timeout_url=address)
    except DarajaRefused as refusal:
        logger.warning("%s %s could not be asked about: %s", row.kind, row.pk, refusal)
        _ask_anew(row)
        if refusal.kind == DarajaRefusal.CONFIGURATION:
            PayoutStop.objects.stop_payouts(f"M-Pesa did not take a question: {refusal}")
    except DarajaUnknown as silence:
        logger.info("%s %s: no answer to the question: %s", row.kind, row.pk, silence)
        _ask_anew(row)


def _ask_anew(row: MoneyOut) -> None:
    """Ask again after the last check of all: the question did not come to M-Pesa, or no answer
    came back.
    """
    now = timezone.now()
    row.still(TransferStatus.UNKNOWN, TransferStatus.SENT).filter(next_check_at=None).update(
        next_check_at=TRANSFER_QUERIES.ask_anew_at(row.sent_at or row.created_at, now, row.checks)
    )
