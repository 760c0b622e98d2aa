"""M-Pesa's answers to status queries of a payment by its number.

Read strictly: an answer confirms a payment only if it shows the same number and amount, completed,
and paid to one of our short codes. Anything else puts the payment in doubt.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from omachemainproj.money import format_kes
from payments.daraja.result_codes import (
    TransactionEnd,
    TransferFailure,
    b2c_failure,
    transaction_end,
)
from payments.daraja.results import QueueTimeout, Result, read_transfer_callback
from payments.daraja.values import UnreadableCallback, says_reversal
from payments.doubt import end_doubt_if_reported_again, put_in_doubt
from payments.evidence import (
    ARRIVED_AFTER_ALL,
    SourceReport,
    flag_late_payment,
    lock_receipt,
    record,
)
from payments.models import (
    AMOUNT_REPORTING_SOURCES,
    EventState,
    GatewayEvent,
    PayoutStop,
    Receipt,
    ReceiptQuestion,
    ReceiptSource,
    Refund,
    Verification,
)
from payments.models.refunds import UNSENT
from payments.reconciliation.receipts import correct_amount
from payments.refunds.external_reversals import CannotBeReversed, record_outside_reversal
from payments.shortcodes import was_paid_to_us

logger = logging.getLogger(__name__)

#: The status query found nothing.
UNKNOWN_TRANSACTION = "SFC_IC0003"
#: The note on an answer that was received before what is known by now.
OLD = "Something newer is known. Nothing was changed."
#: The number at the start of a party such as "600610 - Shop".
_NUMBER = re.compile(r"\s*([0-9]{5,12})\b")


def find_receipt_query(token: str) -> ReceiptQuestion | None:
    """Whose queries' answers come to this callback token; never found by an empty token."""
    return ReceiptQuestion.objects.filter(token=token).first() if token else None


def handle(event: GatewayEvent, schedule: ReceiptQuestion) -> None:
    """Process an answer to a status query of a payment."""
    event.receipt_id = schedule.receipt_id
    try:
        message = read_transfer_callback(bytes(event.body))
    except UnreadableCallback as error:
        event.set_state(EventState.UNREADABLE, str(error))
        return
    if isinstance(message, QueueTimeout):
        event.set_state(EventState.APPLIED, "M-Pesa timed out. It is queried again.")
    elif event.is_from_unknown_ip:
        event.set_state(EventState.UNMATCHED, "It did not come from an address of Safaricom's.")
    elif not schedule.queries:
        event.set_state(EventState.UNMATCHED, "M-Pesa was not queried yet.")
    else:
        receipt = Receipt.objects.get(pk=schedule.receipt_id)
        heard_at = receipt.events.first_received(event)
        event.set_state(EventState.APPLIED, apply_answer(receipt, message, heard_at))


@transaction.atomic
def apply_answer(receipt: Receipt, result: Result, heard_at: datetime) -> str:
    """Apply what M-Pesa reports about a queried payment. Returns a note. Safe to repeat.

    That the query succeeded says nothing about the payment. An answer that was received
    (``heard_at``) before something newer was known changes nothing of that.
    """
    if not result.succeeded:
        return _no_answer(receipt, result, heard_at)
    if not receipt.number or result.receipt != receipt.number:
        return "It is about another payment. Nothing was changed."
    status = result.transaction_status
    if says_reversal(status):
        return _record_mpesa_reversal(receipt, result)
    if (end := transaction_end(status)) is not None:
        return _apply_end(receipt, result, end, heard_at)
    return f"M-Pesa reports the status {status or 'unknown'}."


def _record_mpesa_reversal(receipt: Receipt, result: Result) -> str:
    """Record that M-Pesa reversed a payment, and so that it had arrived.

    An amount that only staff reported is corrected first: it was reversed as it came.
    """
    _close(receipt)
    paid_to = _credited_number(result)
    is_ours = was_paid_to_us(receipt, paid_to)
    reports = receipt.evidence.filter(source__in=AMOUNT_REPORTING_SOURCES, amount=receipt.amount)
    is_typed = not reports.exists()
    if is_typed and is_ours and result.amount not in {None, 0, receipt.amount}:
        locked = lock_receipt(receipt.pk)
        correct_amount(locked, reported_amount=result.amount or 0, source=ReceiptSource.STATUS)
        receipt.refresh_from_db()
    try:
        note = record_outside_reversal(receipt.pk)
    except CannotBeReversed as error:
        return str(error)
    if result.amount == receipt.amount and is_ours:
        report = SourceReport(ReceiptSource.STATUS, receipt.amount, receipt.number, paid_to)
        _record_answer(receipt, report)
    return note


def _apply_end(receipt: Receipt, result: Result, end: TransactionEnd, heard_at: datetime) -> str:
    if receipt.verification == Verification.NEVER_CAME:
        return _apply_to_written_off(receipt, result, end)
    report = _reported(receipt, result, end)
    if doubt := _reason_for_doubt(receipt, result, end):
        if not put_in_doubt(receipt.pk, doubt, heard_at=heard_at):
            return f"{doubt} {OLD}"
        if report is not None:
            # It reports another amount, and confirms the payment once the statement shows it too.
            _record_answer(receipt, report)
        return doubt
    if receipt.doubted_at is not None and heard_at < receipt.doubted_at:
        return OLD
    if report is None:
        return "M-Pesa did not report the amount or the receiver. Nothing was changed."
    _record_answer(receipt, report)
    _close(receipt)
    is_older = Q(receipt_checked_at__isnull=True) | Q(receipt_checked_at__lt=heard_at)
    unsent = Refund.objects.filter(is_older, receipt=receipt.pk, status__in=UNSENT)
    unsent.update(receipt_checked_at=heard_at)
    return "The payment still stands and may be refunded."


def _apply_to_written_off(receipt: Receipt, result: Result, end: TransactionEnd) -> str:
    """Show staff that a payment which was written off came after all, whatever its amount."""
    report = _reported(receipt, result, end)
    if report is None:
        return "It was written off because it never arrived. Nothing was changed."
    locked = lock_receipt(receipt.pk)
    record(locked, report)
    if locked.verification == Verification.NEVER_CAME:
        # Also if M-Pesa repeats an earlier answer.
        flag_late_payment(locked, is_shown=True)
    _close(receipt)
    return ARRIVED_AFTER_ALL


def _reported(receipt: Receipt, result: Result, end: TransactionEnd) -> SourceReport | None:
    """What an answer reports of a payment that was completed and came to us, whatever its amount;
    None if it shows no such payment."""
    paid_to = _credited_number(result)
    if end != TransactionEnd.COMPLETED or not result.amount or not _is_of(receipt, paid_to):
        return None
    return SourceReport(ReceiptSource.STATUS, result.amount, result.receipt, paid_to)


def _record_answer(receipt: Receipt, report: SourceReport) -> None:
    locked = lock_receipt(receipt.pk)
    record(locked, report)
    end_doubt_if_reported_again(locked, report)


def _reason_for_doubt(receipt: Receipt, result: Result, end: TransactionEnd) -> str:
    """Why what M-Pesa shows is not this payment; "" if it may be."""
    if end == TransactionEnd.NOT_DONE:
        status = result.transaction_status
        return f"M-Pesa says the payment is {status}: there may be nothing to refund."
    paid_to = _credited_number(result)
    if paid_to and not _is_of(receipt, paid_to):
        paid = f"M-Pesa says that {receipt.number} was paid to {paid_to}"
        if paid_to == settings.DARAJA_B2C_SHORTCODE:
            return f"{paid}, which pays out: no buyer paid it. Read the statement of that number."
        return f"{paid}, which is not ours."
    if result.amount is not None and result.amount != receipt.amount:
        return (
            f"M-Pesa says {receipt.number} was {format_kes(result.amount)}, "
            f"not {format_kes(receipt.amount)}."
        )
    return ""


def _is_of(receipt: Receipt, paid_to: str) -> bool:
    """Whether the short code can be the payment's; a returned transfer comes to the one that pays
    out."""
    is_paying = receipt.is_returned_transfer and paid_to == settings.DARAJA_B2C_SHORTCODE
    return is_paying or was_paid_to_us(receipt, paid_to)


def _credited_number(result: Result) -> str:
    """The short code that was paid, which precedes the party's name; "" if there is none."""
    match = _NUMBER.match(result.facts.get("CreditPartyName", ""))
    return match[1] if match else ""


def _no_answer(receipt: Receipt, result: Result, heard_at: datetime) -> str:
    if b2c_failure(result.result_code) == TransferFailure.INITIATOR:
        PayoutStop.objects.stop_transfers(
            f"M-Pesa does not accept the initiator: {result.result_code}"
        )
    if result.result_code != UNKNOWN_TRANSACTION:
        return f"The query was not answered: {result.result_code} {result.description}"
    # M-Pesa may know it later: it is queried for a day.
    note = f"M-Pesa does not know {receipt.number}."
    return note if put_in_doubt(receipt.pk, note, heard_at=heard_at) else f"{note} {OLD}"


def _close(receipt: Receipt) -> None:
    """Stop querying: it was answered."""
    ReceiptQuestion.objects.filter(receipt=receipt.pk).update(next_check_at=None)
