"""Returned transfers: payouts and refunds to a phone that M-Pesa took back; and reversals.

Only the statement of M-Pesa's portal shows a returned transfer, among incoming money. It is put in
suspense, and staff decide whose it is: refunded, it goes to the same phone, or to a number they
type.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import Exists

from omachemainproj.money import format_kes
from orders.models import Order
from payments.daraja.portal_statement import Movement
from payments.doubt import put_in_doubt
from payments.evidence import SourceReport, lock_receipt, record
from payments.models import (
    Channel,
    Payout,
    Receipt,
    ReceiptSource,
    Refund,
    Transfer,
    TransferStatus,
    Verification,
    Withdrawal,
)
from payments.refunds.external_reversals import (
    CannotBeReversed,
    correct_reversal,
    record_outside_reversal,
    record_part_reversal,
)
from payments.refunds.services import replace_reversals_with_b2c

from .receipts import create_receipt, find_receipt

logger = logging.getLogger(__name__)


@transaction.atomic
def record_returned_payment(movement: Movement, *, shortcode: str) -> bool:
    """Record a transfer that came back to ``shortcode``; return whether it is new. Safe to repeat.

    If it is recorded twice concurrently, the database refuses the later one, which has to be read
    again.
    """
    report = SourceReport(ReceiptSource.STATEMENT, movement.amount, movement.receipt, shortcode)
    known = find_receipt(movement.receipt)
    if known is not None:
        is_new = _mark_as_returned(known, movement, report)
    else:
        known, is_new = _create(movement, report), True
    _link_to_withdrawal(known.pk, movement)
    return is_new


def _create(movement: Movement, report: SourceReport) -> Receipt:
    receipt = Receipt(
        number=movement.receipt,
        amount=movement.amount,
        paid_at=movement.at,
        **_returned_fields(movement),
    )
    create_receipt(receipt, report)
    logger.error("receipt %s: %s In suspense.", receipt.number, receipt.note)
    return receipt


def _link_to_withdrawal(receipt_id: int, movement: Movement) -> None:
    """Link a returned transfer to the withdrawal it came from, if that was no refund and no payout.

    The whole amount left and came back, and staff decide about both together.
    """
    returned = Receipt.objects.filter(pk=receipt_id, source=ReceiptSource.RETURNED)
    left = Withdrawal.objects.still_open().filter(
        number=movement.reverses, amount=movement.amount, return_receipt=None
    )
    if left.filter(Exists(returned)).update(return_receipt=receipt_id):
        returned.update(
            note=f"It was withdrawn as {movement.reverses}. Explain that withdrawal first."
        )


def _mark_as_returned(known: Receipt, movement: Movement, report: SourceReport) -> bool:
    """Mark a receipt that staff recorded by its number alone as a returned transfer.

    Returns whether that is new. Does nothing if it was written off, which staff are shown then, is
    recorded with another amount, or if its number was entered for a prompt's own receipt: that
    money arrived too.

    An order it was matched to in the meantime keeps it, and staff have to acknowledge that; refunds
    of it go to the phone it came from.
    """
    receipt = lock_receipt(known.pk)
    if receipt.verification == Verification.NEVER_CAME:
        record(receipt, report)
        return False
    if receipt.is_returned_transfer or receipt.amount != movement.amount:
        return False
    if receipt.payment is not None and receipt.payment.channel == Channel.STK:
        _flag_second_payment(receipt, movement)
        return False
    for name, value in _returned_fields(movement, receipt.order).items():
        setattr(receipt, name, value)
    receipt.phone_by = None
    receipt.unacknowledged = receipt.unacknowledged or receipt.order is not None
    receipt.save(update_fields=["source", "phone", "phone_by", "note", "unacknowledged"])
    record(receipt, report)
    replace_reversals_with_b2c(receipt)
    return True


def _flag_second_payment(receipt: Receipt, movement: Movement) -> None:
    """Flag that a prompt's receipt has the number of other money, which is not recorded yet.

    Safe to repeat: once acknowledged, it is not flagged again.
    """
    note = (
        f"{_describe_return(movement, _sent_as(movement.reverses))} This number was entered for a "
        f"prompt's receipt: two payments arrived, and one is recorded."
    )[:200]
    if receipt.note != note:
        receipt.note, receipt.unacknowledged = note, True
        receipt.save(update_fields=["note", "unacknowledged"])
        logger.error("receipt %s: %s", receipt.number, note)


def _returned_fields(movement: Movement, order: Order | None = None) -> dict[str, Any]:
    row = _sent_as(movement.reverses)
    return {
        "source": ReceiptSource.RETURNED,
        "phone": row.phone if row is not None else movement.phone[:64],
        "note": f"{_describe_return(movement, row)} {_return_note(row, order)}".strip()[:200],
    }


def _sent_as(number: str) -> Transfer | None:
    """The payout or refund that was made under this number."""
    payout = Payout.objects.numbered(number).filter(status=TransferStatus.DONE).first()
    return payout or Refund.objects.numbered(number).filter(status=TransferStatus.DONE).first()


def _describe_return(movement: Movement, row: Transfer | None) -> str:
    if row is None:
        of = movement.reverses or "an unnamed transfer"
        return f"M-Pesa took {of} back from its receiver: it is no payout or refund of ours."
    rest = "" if row.amount == movement.amount else f" of {format_kes(row.amount)}"
    return (
        f"{row.kind.capitalize()} {row.pk}{rest}, sent under {movement.reverses}, came back: "
        f"M-Pesa took it from that phone."
    )


def _return_note(row: Transfer | None, order: Order | None) -> str:
    if order is not None:
        return f"No buyer paid it, but it was matched to order {order.reference}. Ask whose it is."
    return "" if row is None else "Ask whose it is; a refund goes to that phone again."


def _record_part(receipt: Receipt, number: str, amount: int) -> tuple[Receipt | None, str]:
    """Record a reversed part of a payment; without a number of its own, or of more than arrived,
    the payment is in doubt and staff decide."""
    note = f"M-Pesa reversed only {format_kes(amount)} of {receipt}."
    if number and amount < receipt.amount:
        return receipt, record_part_reversal(receipt.pk, number=number, amount=amount)
    put_in_doubt(receipt.pk, note)
    return None, note


def record_reversal_row(*, number: str, reverses: str, amount: int) -> tuple[Receipt | None, str]:
    """Record a payment that M-Pesa reversed: the reversal's number, the payment's, and KES.

    If the payment is not named, the number may be its own. Safe to repeat. Returns a note, and the
    payment's receipt, or None if it is not recorded and staff have to look.
    """
    receipt = find_receipt(reverses) or find_receipt(number)
    if receipt is None:
        ours = Refund.objects.numbered(number).select_related("receipt").first()
        if ours is not None:
            return ours.receipt, "A reversal that is already recorded."
        return None, "M-Pesa reversed a payment and did not say which one of ours."
    own = "" if receipt.number == number else number
    try:
        if corrected := correct_reversal(receipt.pk, number=own, amount=amount):
            return receipt, corrected
        if amount != receipt.amount:
            return _record_part(receipt, own, amount)
        return receipt, record_outside_reversal(receipt.pk, number=own)
    except CannotBeReversed as error:
        return None, str(error)
