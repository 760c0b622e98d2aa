"""What M-Pesa answers where it is asked about a payment by its number.

The answer is read strictly: it confirms a payment only where it shows the same number and amount,
completed, and paid to a number of ours. Anything else it shows puts the payment in doubt.
"""

from __future__ import annotations

import logging
import re

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from payments.daraja.result_codes import (
    PayoutReason,
    TransactionEnd,
    b2c_failure,
    transaction_end,
)
from payments.daraja.results import QueueTimeout, Result, read_transfer_callback
from payments.daraja.values import UnreadableCallback, says_reversal
from payments.evidence import SourceReport, lock_receipt, put_in_doubt, record, was_paid_to_us
from payments.models import (
    EventState,
    GatewayEvent,
    PayoutStop,
    Receipt,
    ReceiptQuestion,
    ReceiptSource,
    Refund,
)
from payments.models.refunds import UNSENT
from payments.refunds.external_reversals import CannotBeReversed, record_outside_reversal

logger = logging.getLogger(__name__)

#: The status query found nothing.
UNKNOWN_TRANSACTION = "SFC_IC0003"
#: How a party begins that is named "600610 - Shop".
_NUMBER = re.compile(r"\s*([0-9]{5,12})\b")


def find_question(token: str) -> ReceiptQuestion | None:
    """The question whose answer comes to this address; never looked up by an empty token."""
    return ReceiptQuestion.objects.filter(token=token).first() if token else None


def handle(event: GatewayEvent, question: ReceiptQuestion) -> None:
    """Act on a message that came to the address of a question about a payment."""
    event.receipt_id = question.receipt_id
    try:
        message = read_transfer_callback(bytes(event.body))
    except UnreadableCallback as error:
        event.set_state(EventState.UNREADABLE, str(error))
        return
    if isinstance(message, QueueTimeout):
        event.set_state(EventState.APPLIED, "M-Pesa was late. It is asked again.")
    elif event.is_from_elsewhere:
        event.set_state(EventState.UNMATCHED, "It did not come from an address of Safaricom's.")
    elif not question.asked:
        event.set_state(EventState.UNMATCHED, "M-Pesa was not asked yet.")
    else:
        receipt = Receipt.objects.get(pk=question.receipt_id)
        event.set_state(EventState.APPLIED, apply_answer(receipt, message))


@transaction.atomic
def apply_answer(receipt: Receipt, result: Result) -> str:
    """Apply what M-Pesa says of a payment it was asked about. Returns a note. Safe to repeat.

    The answer's own success says nothing about the payment.
    """
    if not result.succeeded:
        return _no_answer(receipt, result)
    if not receipt.number or result.receipt != receipt.number:
        return "It is about another payment. Nothing was changed."
    status = result.transaction_status
    if says_reversal(status):
        return _take_back(receipt, result)
    if (end := transaction_end(status)) is not None:
        return _apply_end(receipt, result, end)
    return f"M-Pesa, asked, says {status or 'nothing'}."


def _take_back(receipt: Receipt, result: Result) -> str:
    """Record that M-Pesa took a payment back. To do so it has to have come: that is evidence."""
    _close(receipt)
    try:
        note = record_outside_reversal(receipt.pk)
    except CannotBeReversed as error:
        return str(error)
    paid_to = _credited_number(result)
    if result.amount == receipt.amount and was_paid_to_us(receipt, paid_to):
        told = SourceReport(ReceiptSource.STATUS, receipt.amount, receipt.number, paid_to)
        record(lock_receipt(receipt.pk), told)
    return note


def _apply_end(receipt: Receipt, result: Result, end: TransactionEnd) -> str:
    if doubt := _doubt(receipt, result, end):
        put_in_doubt(receipt.pk, doubt)
        return doubt
    paid_to = _credited_number(result)
    if result.amount is None or not paid_to:
        return "M-Pesa does not say how much was paid, or to whom. Nothing was changed."
    told = SourceReport(ReceiptSource.STATUS, result.amount, result.receipt, paid_to)
    record(lock_receipt(receipt.pk), told)
    _close(receipt)
    now = timezone.now()
    Refund.objects.filter(receipt=receipt.pk, status__in=UNSENT).update(receipt_stands_at=now)
    return "The payment stands: its money may go back."


def _doubt(receipt: Receipt, result: Result, end: TransactionEnd) -> str:
    """Why what M-Pesa shows is not this payment; empty where it may be."""
    if end == TransactionEnd.NOT_DONE:
        status = result.transaction_status
        return f"M-Pesa says that the payment is {status}: there may be nothing to give back."
    paid_to = _credited_number(result)
    if paid_to and not _is_of(receipt, paid_to):
        said = f"M-Pesa says that {receipt.number} was paid to {paid_to}"
        if paid_to == settings.DARAJA_B2C_SHORTCODE:
            return f"{said}, which pays out: no buyer paid it. Read the statement of that number."
        return f"{said}, which is not ours."
    if result.amount is not None and result.amount != receipt.amount:
        return f"M-Pesa says that {receipt.number} is of KES {result.amount}, not {receipt.amount}."
    return ""


def _is_of(receipt: Receipt, paid_to: str) -> bool:
    """Whether money of the shop comes to this number: what came back, to the one that pays out."""
    is_paying = receipt.came_back and paid_to == settings.DARAJA_B2C_SHORTCODE
    return is_paying or was_paid_to_us(receipt, paid_to)


def _credited_number(result: Result) -> str:
    """The number that was paid, which stands before the party's name; "" where none does."""
    found = _NUMBER.match(result.facts.get("CreditPartyName", ""))
    return found[1] if found else ""


def _no_answer(receipt: Receipt, result: Result) -> str:
    if b2c_failure(result.result_code) == PayoutReason.INITIATOR:
        PayoutStop.objects.stop_payouts(
            f"M-Pesa does not accept the initiator: {result.result_code}"
        )
    if result.result_code != UNKNOWN_TRANSACTION:
        return f"The question was not answered: {result.result_code} {result.description}"
    # It may be late to know it: it is asked on, for a day.
    note = f"M-Pesa does not know {receipt.number}."
    put_in_doubt(receipt.pk, note)
    return note


def _close(receipt: Receipt) -> None:
    """Ask no more: it was answered."""
    ReceiptQuestion.objects.filter(receipt=receipt.pk).update(next_check_at=None)
