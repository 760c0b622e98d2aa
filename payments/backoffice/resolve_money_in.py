"""What a person may decide about money that the shop cannot place by itself (the console).

Each is one transaction that looks at the state a row is in, and raises ActionNotAvailable with a plain
sentence where it no longer applies. Who decided and why is written down by the caller.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from omachemainproj.api.errors import Refusal
from omachemainproj.compiled_queries import locked_row
from omachemainproj.phones import normalise_phone
from orders.lookup import find_by_typed_reference
from payments.daraja.result_codes import PayoutReason
from payments.models import (
    EventState,
    GatewayEvent,
    OrderPayment,
    Payout,
    PayoutStop,
    Provider,
    Receipt,
    ReceiptSource,
    Refund,
    TransferStatus,
    Way,
)
from payments.reconciliation.outcomes import Outcome, record_outcome
from payments.reconciliation.receipts import (
    AlreadyMatched,
    IncomingPayment,
    find_receipt,
    match_to_order,
    record_receipt,
)
from payments.reconciliation.status_query import query_now
from payments.refunds.routes import LEAST_PAYOUT, MOST_PAYOUT
from payments.refunds.services import (
    NothingToRefund,
    create_replacement,
    locked_refund,
    mark_done,
    mark_refused,
    refund_unmatched,
)
from payments.webhooks.inbox import reprocess_event

#: A result code of our own: a person has found out that no money came.
STAFF_SAYS_UNPAID = "local.not_paid"


class ActionNotAvailable(Refusal):
    """The row is not in a state in which this could be done."""

    code = "cannot_do"


def match_receipt_to_order(receipt_id: int, *, reference: str, why: str) -> Receipt:
    """Give money in suspense to the order with this reference, as a payment by hand."""
    order_id = find_by_typed_reference(reference)
    if order_id is None:
        raise ActionNotAvailable(f"No order has the reference “{reference}”.")
    try:
        return match_to_order(receipt_id, order_id, note=why)
    except AlreadyMatched as error:
        raise ActionNotAvailable(str(error)) from error


def refund_receipt(receipt_id: int) -> Refund:
    """Owe money in suspense back to whoever paid it."""
    try:
        return refund_unmatched(receipt_id)
    except NothingToRefund as error:
        raise ActionNotAvailable(str(error)) from error


def record_seen_receipt(*, number: str, amount: int, reference: str, phone: str = "") -> Receipt:
    """Write down an M-Pesa receipt that a person has seen on the portal or on a buyer's phone.

    It is counted once, whatever M-Pesa tells of it later.
    """
    number = _tidy(number)
    if find_receipt(number) is not None:
        raise ActionNotAvailable(f"Receipt {number} is written down already.")
    receipt, _ = record_receipt(
        IncomingPayment(
            provider=Provider.MPESA,
            number=number,
            amount=amount,
            door=ReceiptSource.STAFF,
            reference=reference,
            phone=phone,
            paid_at=timezone.now(),
        )
    )
    return receipt


@transaction.atomic
def set_receipt_number(receipt_id: int, *, number: str) -> Receipt:
    """Give money that only a status query has told of the number a person saw on the portal."""
    receipt = Receipt.objects.select_related("order").get(pk=receipt_id)
    if receipt.number or receipt.order is None:
        raise ActionNotAvailable("Its number has come, or it has no order.")
    record_seen_receipt(number=number, amount=receipt.amount, reference=receipt.order.reference)
    receipt.refresh_from_db()
    return receipt


@transaction.atomic
def acknowledge_receipt(receipt_id: int) -> Receipt:
    """Say that a person has seen that a receipt's amount was corrected."""
    receipt = locked_row(Receipt, receipt_id)
    if not receipt.unseen:
        raise ActionNotAvailable("Somebody has acknowledged it already.")
    receipt.unseen = False
    receipt.save(update_fields=["unseen"])
    return receipt


def query_attempt(payment_id: int) -> OrderPayment:
    """Ask M-Pesa now what became of an attempt. Call outside of a transaction."""
    payment = OrderPayment.objects.get(pk=payment_id)
    if not payment.checkout_request_id:
        raise ActionNotAvailable(
            "M-Pesa never gave this attempt an id to ask by. The portal shows more."
        )
    if payment.is_confirmed:
        raise ActionNotAvailable("Its money is here: there is nothing to ask.")
    query_now(payment_id)
    payment.refresh_from_db()
    return payment


@transaction.atomic
def mark_attempt_unpaid(payment_id: int) -> OrderPayment:
    """End an attempt M-Pesa never spoke of: a person has seen that no money came.

    A success that comes late still overturns it.
    """
    payment = locked_row(OrderPayment, payment_id)
    if not payment.is_open or payment.live:
        raise ActionNotAvailable("The attempt has ended, or its phone may still be ringing.")
    record_outcome(
        payment_id,
        Outcome(
            succeeded=False,
            code=STAFF_SAYS_UNPAID,
            text="A person has found that no money came.",
            door=ReceiptSource.STAFF,
        ),
    )
    payment.refresh_from_db()
    return payment


@transaction.atomic
def mark_attempt_paid(payment_id: int, *, number: str) -> OrderPayment:
    """End an attempt M-Pesa never spoke of: a person has seen that it was paid, and under what."""
    payment = locked_row(OrderPayment, payment_id)
    if not payment.is_open:
        raise ActionNotAvailable("The attempt has ended.")
    note = record_outcome(
        payment_id,
        Outcome(
            succeeded=True,
            code="0",
            text="A person has seen that it was paid.",
            door=ReceiptSource.STAFF,
            amount=payment.amount,
            receipt=_tidy(number),
        ),
    )
    payment.refresh_from_db()
    if not payment.is_confirmed:
        raise ActionNotAvailable(note)
    return payment


@transaction.atomic
def retry_refund(refund_id: int, *, phone: str = "") -> Refund:
    """Let another refund follow one that M-Pesa refused: the same way, or to ``phone``."""
    refund = _refused(refund_id)
    try:
        phone = normalise_phone(phone) if phone else refund.phone
    except ValueError as error:
        raise ActionNotAvailable("This is not a Kenyan mobile number.") from error
    if phone and not LEAST_PAYOUT <= refund.amount <= MOST_PAYOUT:
        raise ActionNotAvailable(f"M-Pesa pays out KES {LEAST_PAYOUT} to {MOST_PAYOUT} at a time.")
    if phone:
        return create_replacement(refund, way=Way.B2C, phone=phone)
    if refund.way == Way.PORTAL:
        raise ActionNotAvailable("Name the number it is to be sent to.")
    return create_replacement(refund, way=refund.way)


@transaction.atomic
def record_refund_on_portal(refund_id: int, *, number: str) -> Refund:
    """Write down that a person gave the money back on M-Pesa's portal, under this receipt."""
    refund = _refused(refund_id)
    number = new_number(number)
    by_person = create_replacement(refund, way=Way.PORTAL)
    Refund.objects.filter(pk=by_person.pk).update(status=TransferStatus.UNKNOWN, next_check_at=None)
    mark_done(by_person.pk, number=number, text="Given back on M-Pesa's portal.")
    by_person.refresh_from_db()
    return by_person


@transaction.atomic
def record_refund_outcome(refund_id: int, *, number: str = "") -> Refund:
    """End a refund M-Pesa never spoke of: done under ``number``, or not done when that is empty.

    The portal tells which. One that was not done is followed by another.
    """
    refund = locked_refund(refund_id)
    if not refund.is_under_way or refund.next_check_at is not None:
        raise ActionNotAvailable("M-Pesa is still being asked about it, or it has ended.")
    # Whoever decides has seen its note; what the decision itself brings to light is not seen yet.
    Refund.objects.filter(pk=refund_id).update(unseen=False)
    if number:
        number = new_number(number)
        mark_done(refund_id, number=number, text="Seen on M-Pesa's portal.")
    else:
        mark_refused(
            refund_id,
            code=STAFF_SAYS_UNPAID,
            text="A person has found that no money went.",
            reason=PayoutReason.OTHER,
        )
    refund.refresh_from_db()
    return refund


@transaction.atomic
def acknowledge_refund(refund_id: int) -> Refund:
    """Say that a person has seen how a refund ended, and has done what there was to do."""
    refund = locked_refund(refund_id)
    if not refund.unseen:
        raise ActionNotAvailable("Somebody has acknowledged it already.")
    refund.unseen = False
    refund.save(update_fields=["unseen"])
    return refund


@transaction.atomic
def lift_payout_stop(stop_id: int) -> PayoutStop:
    """Let money leave again: the initiator's password and certificate are right."""
    stop = locked_row(PayoutStop, stop_id)
    if not stop.is_open:
        raise ActionNotAvailable("Payouts are not stopped by this any more.")
    stop.is_open, stop.ended_at = False, timezone.now()
    stop.save(update_fields=["is_open", "ended_at"])
    return stop


def reprocess_message(event_id: int) -> GatewayEvent:
    """Act on a kept message as if it had just come. Safe to repeat."""
    if GatewayEvent.objects.get(pk=event_id).state == EventState.APPLIED:
        raise ActionNotAvailable("It was acted on already.")
    return reprocess_event(event_id)


@transaction.atomic
def set_message_aside(event_id: int) -> GatewayEvent:
    """Say that a person has looked at a message, and that nothing is to be done about it."""
    event = locked_row(GatewayEvent, event_id)
    if event.state not in {EventState.FAILED, EventState.UNMATCHED, EventState.UNREADABLE}:
        raise ActionNotAvailable("It was acted on, or it still is.")
    event.set_state(EventState.ASIDE, event.note)
    return event


def _tidy(number: str) -> str:
    return "".join(number.upper().split())


def new_number(typed: str) -> str:
    """M-Pesa's receipt of money that left, which no refund and no payout has yet."""
    number = _tidy(typed)
    known = Refund.objects.filter(number=number).exists()
    if known or not number.isalnum() or Payout.objects.filter(number=number).exists():
        raise ActionNotAvailable(
            "Name the portal's own receipt number, not one that is known already."
        )
    return number


def _refused(refund_id: int) -> Refund:
    refund = locked_refund(refund_id)
    if not Refund.objects.refused().filter(pk=refund_id).exists():
        raise ActionNotAvailable("Nothing is left to decide about this refund.")
    return refund
