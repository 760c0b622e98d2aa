"""What staff may do about money that came in, where the shop cannot go on by itself.

Each is one transaction that looks at the state a row is in, and raises ActionNotAvailable with a
plain sentence where it no longer applies. Its caller records who did it and why.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from omachemainproj.api.errors import Refusal
from omachemainproj.compiled_queries import locked_row
from omachemainproj.text import fold_identifier
from orders.lookup import find_by_typed_reference
from orders.models import Order
from payments.doubt import end_doubt, put_in_doubt
from payments.evidence import (
    SourceReport,
    is_shown_by_gateway,
    lock_receipt,
    record,
    request_confirmation,
    staff_who_reported,
)
from payments.models import (
    EventState,
    GatewayEvent,
    OrderPayment,
    Provider,
    Receipt,
    ReceiptSource,
    Refund,
    Verification,
)
from payments.models.evidence import is_enough
from payments.models.same_payments import is_undecided
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.reconciliation.receipts import IncomingPayment, find_receipt, record_receipt
from payments.reconciliation.status_query import query_now
from payments.reconciliation.suspense import (
    AlreadyMatched,
    MayBeAnothers,
    match_to_order,
    merge_receipts,
)
from payments.refunds.external_reversals import NotInDoubt, write_off_never_came
from payments.refunds.services import NothingToRefund, refund_unmatched
from payments.transfers import is_number_of_transfer
from payments.webhooks.inbox import reprocess_event

#: A result code of our own: a person has found out that no money came.
STAFF_SAYS_UNPAID = "local.not_paid"
#: States of a message that nothing was done about.
MAY_BE_SET_ASIDE = frozenset({EventState.FAILED, EventState.UNMATCHED, EventState.UNREADABLE})


class ActionNotAvailable(Refusal):
    """The row is not in a state in which this could be done."""

    code = "cannot_do"


def tidy_number(typed: str) -> str:
    """A receipt number as providers write it: without spaces, in capitals and plain letters."""
    return "".join(fold_identifier(typed).upper().split())


def _number_of_a_payment(typed: str) -> str:
    """A receipt number, tidy, which nothing that left has."""
    number = tidy_number(typed)
    if is_number_of_transfer(number):
        raise ActionNotAvailable(f"{number} is the number of a refund or a payout.")
    return number


def match_receipt_to_order(receipt_id: int, *, reference: str, why: str) -> Receipt:
    """Give money in suspense to the order with this reference, as a payment by hand."""
    order_id = find_by_typed_reference(reference)
    if order_id is None:
        raise ActionNotAvailable(f"No order has the reference “{reference}”.")
    try:
        return match_to_order(receipt_id, order_id, note=why)
    except (AlreadyMatched, MayBeAnothers) as error:
        raise ActionNotAvailable(str(error)) from error


@transaction.atomic
def merge_with_order(receipt_id: int, *, reference: str, why: str) -> Receipt:
    """Say that money in suspense is what an order's prompt was paid with.

    The order's receipt, known from a status query, gets its number; it is counted once.
    """
    order_id = find_by_typed_reference(reference)
    if order_id is None:
        raise ActionNotAvailable(f"No order has the reference “{reference}”.")
    order = locked_row(Order, order_id)
    movement = locked_row(Receipt, receipt_id)
    unnamed = Receipt.objects.without_number().filter(order=order).order_by("pk")
    same = unnamed.filter(amount=movement.amount).first() or unnamed.first()
    if same is None:
        raise ActionNotAvailable(f"No receipt of order {order.reference} lacks its number.")
    try:
        return merge_receipts(same, movement, order, note=why)
    except AlreadyMatched as error:
        raise ActionNotAvailable(str(error)) from error


@transaction.atomic
def mark_payment_of_its_own(receipt_id: int) -> Receipt:
    """Say that money in suspense is not what any order's prompt was paid with."""
    receipt = locked_row(Receipt, receipt_id)
    if not is_undecided(receipt):
        raise ActionNotAvailable("Nothing says that it may be a prompt's.")
    receipt.is_separate_payment = True
    receipt.save(update_fields=["is_separate_payment"])
    return receipt


def refund_receipt(receipt_id: int, *, by: User | None = None) -> Refund:
    """Owe money in suspense back to whoever paid it, as ``by`` decided."""
    try:
        return refund_unmatched(receipt_id, actor_id=_id_of(by))
    except NothingToRefund as error:
        raise ActionNotAvailable(str(error)) from error


def record_seen_receipt(
    *, number: str, amount: int, reference: str, phone: str = "", by: User | None = None
) -> Receipt:
    """Record an M-Pesa receipt that ``by`` has seen on the portal or on a buyer's phone.

    It is counted once, whatever M-Pesa reports of it later. M-Pesa is asked about it: until it
    knows the payment too, nothing leaves on the person's word.
    """
    number = _number_of_a_payment(number)
    if find_receipt(number) is not None:
        raise ActionNotAvailable(f"Receipt {number} is written down already.")
    receipt, _ = record_receipt(
        IncomingPayment(
            provider=Provider.MPESA,
            number=number,
            amount=amount,
            source=ReceiptSource.STAFF,
            reference=reference,
            phone=phone,
            paid_at=timezone.now(),
            by=_id_of(by),
        )
    )
    return receipt


@transaction.atomic
def set_receipt_number(receipt_id: int, *, number: str, by: User | None = None) -> Receipt:
    """Give a receipt without a number, known from a status query, the one the portal shows.

    Money that lies in suspense under that number is this receipt's.
    """
    receipt = Receipt.objects.select_related("order").get(pk=receipt_id)
    if receipt.number or receipt.order is None:
        raise ActionNotAvailable("Its number has come, or it has no order.")
    known = find_receipt(tidy_number(number))
    if known is not None and known.order_id is None:
        try:
            order = locked_row(Order, receipt.order.pk)
            return merge_receipts(receipt, known, order, note="")
        except AlreadyMatched as error:
            raise ActionNotAvailable(str(error)) from error
    record_seen_receipt(
        number=number, amount=receipt.amount, reference=receipt.order.reference, by=by
    )
    receipt.refresh_from_db()
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
    """End an attempt whose result M-Pesa never reported: a person has seen that no money came.

    A success that comes late still overturns it.
    """
    payment = locked_row(OrderPayment, payment_id)
    if not payment.is_open or payment.live:
        raise ActionNotAvailable("The attempt has ended, or its phone may still be ringing.")
    record_outcome(
        payment_id,
        AttemptOutcome(
            succeeded=False,
            code=STAFF_SAYS_UNPAID,
            text="A person has found that no money came.",
            source=ReceiptSource.STAFF,
        ),
    )
    payment.refresh_from_db()
    return payment


@transaction.atomic
def mark_attempt_paid(payment_id: int, *, number: str, by: User | None = None) -> OrderPayment:
    """End an attempt whose result M-Pesa never reported: ``by`` has seen its receipt."""
    payment = locked_row(OrderPayment, payment_id)
    if not payment.is_open:
        raise ActionNotAvailable("The attempt has ended.")
    note = record_outcome(
        payment_id,
        AttemptOutcome(
            succeeded=True,
            code="0",
            text="A person has seen that it was paid.",
            source=ReceiptSource.STAFF,
            amount=payment.amount,
            receipt=_number_of_a_payment(number),
            by=_id_of(by),
        ),
    )
    payment.refresh_from_db()
    if not payment.is_confirmed:
        raise ActionNotAvailable(note)
    return payment


@transaction.atomic
def confirm_bank_receipt(receipt_id: int, *, by: User) -> Receipt:
    """Say that ``by`` has seen a payment on the bank's own statement, which no query can be asked.

    Whoever wrote it down, or bought with it, cannot say so too.
    """
    receipt = lock_receipt(receipt_id)
    if receipt.provider == Provider.MPESA or receipt.verification == Verification.NEVER_CAME:
        raise ActionNotAvailable("M-Pesa itself is asked about its payments.")
    _check_not_involved(receipt, by)
    report = SourceReport(ReceiptSource.STAFF, receipt.amount, receipt.number, by=by.pk)
    record(receipt, report)
    receipt.refresh_from_db()
    if receipt.is_in_doubt and is_enough(receipt, list(receipt.evidence.all())):
        end_doubt(receipt, Verification.CONFIRMED)
    return receipt


@transaction.atomic
def doubt_bank_receipt(receipt_id: int) -> Receipt:
    """Say that the bank's own statement does not show a payment that was told of."""
    receipt = lock_receipt(receipt_id)
    if receipt.provider == Provider.MPESA or receipt.verification != Verification.REPORTED:
        raise ActionNotAvailable("It is confirmed, in doubt already, or M-Pesa's.")
    put_in_doubt(receipt_id, "The bank's own statement does not show it.")
    receipt.refresh_from_db()
    return receipt


@transaction.atomic
def ask_about_receipt(receipt_id: int) -> Receipt:
    """Let M-Pesa be asked once more about a payment that is not confirmed."""
    receipt = lock_receipt(receipt_id)
    if receipt.provider != Provider.MPESA or not receipt.number or receipt.is_confirmed:
        raise ActionNotAvailable("M-Pesa cannot be asked about it, or has confirmed it.")
    request_confirmation([receipt], again=True)
    return receipt


@transaction.atomic
def say_it_came(receipt_id: int, *, by: User) -> Receipt:
    """End the doubt about a payment that M-Pesa's own statement or answer shows."""
    receipt = lock_receipt(receipt_id)
    if not receipt.is_in_doubt:
        raise ActionNotAvailable("It is not in doubt.")
    _check_not_involved(receipt, by)
    if not is_shown_by_gateway(receipt):
        raise ActionNotAvailable("M-Pesa's statement does not show it. Ask M-Pesa about it again.")
    end_doubt(receipt, Verification.CONFIRMED)
    return receipt


@transaction.atomic
def say_it_never_came(receipt_id: int, *, by: User) -> Receipt:
    """Write off a payment in doubt: nothing ever came. Another than who wrote it down says so."""
    receipt = lock_receipt(receipt_id)
    _check_not_involved(receipt, by)
    try:
        return write_off_never_came(receipt_id)
    except NotInDoubt as error:
        raise ActionNotAvailable(str(error)) from error


def _check_not_involved(receipt: Receipt, by: User) -> None:
    is_buyer = receipt.order is not None and receipt.order.buyer_id == by.pk
    if is_buyer or by.pk in staff_who_reported([receipt.pk]):
        raise ActionNotAvailable("Who wrote it down, or bought with it, cannot decide about it.")


def _id_of(person: User | None) -> int | None:
    return None if person is None else person.pk


def reprocess_message(event_id: int) -> GatewayEvent:
    """Process a stored message as if it had just come. Safe to repeat."""
    if GatewayEvent.objects.get(pk=event_id).state == EventState.APPLIED:
        raise ActionNotAvailable("It was acted on already.")
    return reprocess_event(event_id)


@transaction.atomic
def set_message_aside(event_id: int) -> GatewayEvent:
    """Record that a person has looked at a message, and that nothing is to be done about it."""
    event = locked_row(GatewayEvent, event_id)
    if event.state not in MAY_BE_SET_ASIDE:
        raise ActionNotAvailable("It was acted on, or it still is.")
    event.set_state(EventState.ASIDE, event.note)
    return event
