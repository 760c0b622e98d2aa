"""Staff decisions about incoming money that the shop cannot settle automatically.

Each is one transaction and raises ActionNotAvailable, with a sentence for staff, if the row is no
longer in a suitable state. The caller records who did it and why.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from omachemainproj.text import fold_identifier
from orders.lookup import find_by_typed_reference
from orders.models import Order
from payments.doubt import end_doubt, put_in_doubt
from payments.evidence import (
    SourceReport,
    amount_on_gateway,
    is_shown_since_the_doubt,
    lock_receipt,
    record,
    request_confirmation,
    staff_who_reported,
)
from payments.models import (
    DOUBTFUL,
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
from payments.payment_matching import is_undecided, matching_receipts, prompt_without_number
from payments.reconciliation.incoming import IncomingPayment, record_receipt
from payments.reconciliation.misapplied import NotMisapplied, merge_unnumbered, move_to_order
from payments.reconciliation.outcomes import AttemptOutcome, record_outcome
from payments.reconciliation.receipts import correct_amount, find_receipt
from payments.reconciliation.status_query import query_now
from payments.reconciliation.suspense import (
    AlreadyMatched,
    MayBeMisapplied,
    match_to_order,
    merge_receipts,
)
from payments.refunds.services import NothingToRefund, refund_unmatched
from payments.refunds.write_offs import (
    NotInDoubt,
    NotWrittenOff,
    undo_write_off,
    write_off_payment,
)
from payments.transfers import is_number_of_transfer
from payments.webhooks.inbox import reprocess_event
from payments.webhooks.stk_callback import resolve_untrusted

from .approval_rules import require_uninvolved
from .refusals import ActionNotAvailable, not_available_on

#: Our own result code: staff found that no money arrived.
STAFF_SAYS_UNPAID = "local.not_paid"
#: The label of the button that applies a payment to another order.
MOVE_TO_ORDER = "It is another order's payment"
#: States of a message that had no effect.
MAY_BE_SET_ASIDE = frozenset({EventState.FAILED, EventState.UNMATCHED, EventState.UNREADABLE})


def tidy_number(typed: str) -> str:
    """Normalise a receipt number: no spaces, capitals, plain letters."""
    return "".join(fold_identifier(typed).upper().split())


def _incoming_number(typed: str) -> str:
    """Normalise the receipt number of incoming money, which no refund or payout may have."""
    number = tidy_number(typed)
    if is_number_of_transfer(number):
        raise ActionNotAvailable(f"{number} is the receipt number of a refund or payout.")
    return number


def match_receipt_to_order(receipt_id: int, *, reference: str, why: str) -> Receipt:
    """Match a receipt in suspense to the order with this reference, as a manual payment."""
    order_id = _find_order(reference)
    with not_available_on(AlreadyMatched), not_available_on(MayBeMisapplied):
        return match_to_order(receipt_id, order_id, note=why)


@transaction.atomic
def merge_with_order(receipt_id: int, *, reference: str, why: str) -> Receipt:
    """Record that a receipt in suspense is the payment of an order's prompt.

    The order's receipt, known from a status query, gets the number. The money is counted once.
    """
    order = lock_row(Order, _find_order(reference))
    movement = lock_row(Receipt, receipt_id)
    without_number = Receipt.objects.without_number().filter(order=order).order_by("pk")
    same = without_number.filter(amount=movement.amount).first() or without_number.first()
    if same is None:
        raise ActionNotAvailable(
            f"Every receipt of order {order.reference} already has its number."
        )
    with not_available_on(AlreadyMatched):
        return merge_receipts(same, movement, order, note=why)


def _find_order(reference: str) -> int:
    order_id = find_by_typed_reference(reference)
    if order_id is None:
        raise ActionNotAvailable(f"There is no order with the reference “{reference}”.")
    return order_id


@transaction.atomic
def mark_as_separate_payment(receipt_id: int) -> Receipt:
    """Record that a receipt in suspense is not the payment of any order's prompt."""
    receipt = lock_row(Receipt, receipt_id)
    if not is_undecided(receipt):
        raise ActionNotAvailable("There is no prompt this payment could belong to.")
    receipt.is_separate_payment = True
    receipt.save(update_fields=["is_separate_payment"])
    return receipt


def refund_receipt(receipt_id: int, *, by: User | None = None) -> Refund:
    """Refund a receipt in suspense to its payer, as ``by`` decided."""
    with not_available_on(NothingToRefund):
        return refund_unmatched(receipt_id, actor_id=_id_of(by))


def record_seen_receipt(
    *, number: str, amount: int, reference: str, phone: str = "", by: User | None = None
) -> Receipt:
    """Record an M-Pesa receipt that ``by`` has seen on the portal or on a buyer's phone.

    It is counted once, whatever M-Pesa reports later. M-Pesa is queried: until it confirms the
    payment, none of the money can be sent out.
    """
    number = _incoming_number(number)
    if find_receipt(number) is not None:
        raise ActionNotAvailable(f"Receipt {number} is already recorded.")
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
    """Set the number of a receipt known from a status query, as the portal shows it.

    If a receipt with that number is in suspense, or staff entered the number for another prompt of
    the order, the two are merged. Returns the receipt that has the number.
    """
    receipt = Receipt.objects.select_related("order").get(pk=receipt_id)
    if receipt.number or receipt.order is None:
        raise ActionNotAvailable("This receipt already has a number, or has no order.")
    known = find_receipt(tidy_number(number))
    if known is not None and known.order_id is None:
        order = lock_row(Order, receipt.order.pk)
        with not_available_on(AlreadyMatched):
            return merge_receipts(receipt, known, order, note="")
    if known is not None and known.order_id == receipt.order.pk:
        order = lock_row(Order, receipt.order.pk)
        with not_available_on(NotMisapplied):
            return merge_unnumbered(receipt, known, order)
    if known is not None:
        raise ActionNotAvailable(
            f"{known.number} is recorded for order {known.order}. If it is the payment of order "
            f"{receipt.order.reference}, open that receipt and choose “{MOVE_TO_ORDER}”."
        )
    record_seen_receipt(
        number=number, amount=receipt.amount, reference=receipt.order.reference, by=by
    )
    receipt.refresh_from_db()
    return receipt


def query_attempt(payment_id: int) -> OrderPayment:
    """Query M-Pesa for the result of an attempt now. Call outside of a transaction."""
    payment = OrderPayment.objects.get(pk=payment_id)
    if not payment.checkout_request_id:
        raise ActionNotAvailable(
            "M-Pesa never returned a request ID for this attempt, so its status cannot be queried. "
            "Look it up on the portal."
        )
    if payment.is_confirmed:
        raise ActionNotAvailable("The payment has arrived: there is nothing to query.")
    query_now(payment_id)
    payment.refresh_from_db()
    return payment


@transaction.atomic
def mark_attempt_unpaid(payment_id: int) -> OrderPayment:
    """Record that an attempt without a result was not paid, as staff have checked.

    A late success still overrides this. Unmatched money that may be this payment has to be decided
    first.
    """
    payment = lock_row(OrderPayment, payment_id)
    if not payment.is_open or payment.live:
        raise ActionNotAvailable("This attempt has ended, or its prompt may still be open.")
    if behind := matching_receipts(payment):
        raise ActionNotAvailable(
            f"{behind[0]} arrived at that time without an order and may be this payment. First "
            "record that this attempt was paid, or that the other is a separate payment."
        )
    record_outcome(
        payment_id,
        AttemptOutcome(
            succeeded=False,
            code=STAFF_SAYS_UNPAID,
            text="Staff found that no money arrived.",
            source=ReceiptSource.STAFF,
        ),
    )
    resolve_untrusted(payment_id, confirmed="by staff")
    payment.refresh_from_db()
    return payment


@transaction.atomic
def mark_attempt_paid(payment_id: int, *, number: str, by: User | None = None) -> OrderPayment:
    """Record that an attempt without a result was paid: ``by`` has seen its receipt.

    If the number is already known, M-Pesa's own amount counts and must be the requested one.
    """
    payment = lock_row(OrderPayment, payment_id)
    if not payment.is_open:
        raise ActionNotAvailable("This attempt has ended.")
    number = _incoming_number(number)
    if find_receipt(number) is None and (other := prompt_without_number(payment)) is not None:
        raise ActionNotAvailable(
            f"M-Pesa confirmed the prompt of order {other.order.reference} to the same phone, also "
            f"of {format_kes(other.amount)}, without a receipt number. Enter that one's number "
            "first: the portal shows both, if both were paid."
        )
    note = record_outcome(
        payment_id,
        AttemptOutcome(
            succeeded=True,
            code="0",
            text="Staff saw that it was paid.",
            source=ReceiptSource.STAFF,
            receipt=number,
            by=_id_of(by),
        ),
    )
    resolve_untrusted(payment_id, confirmed="by staff")
    payment.refresh_from_db()
    if not payment.is_confirmed:
        raise ActionNotAvailable(note)
    return payment


def move_receipt_to_order(receipt_id: int, *, reference: str, by: User) -> Receipt:
    """Apply a payment to the order with this reference, and no longer to the one it is recorded
    for.

    Who recorded it and the buyers of both orders cannot decide this. Returns the receipt of the
    other order.
    """
    order_id = _find_order(reference)
    receipt = Receipt.objects.select_related("order").get(pk=receipt_id)
    _check_not_involved(receipt, by, Order.objects.get(pk=order_id))
    with not_available_on(NotMisapplied), not_available_on(NotInDoubt):
        return move_to_order(receipt_id, order_id)


@transaction.atomic
def confirm_bank_receipt(receipt_id: int, *, by: User) -> Receipt:
    """Confirm a bank payment that ``by`` has seen on the bank's own statement.

    The person who recorded it and the buyer cannot confirm it.
    """
    receipt = lock_receipt(receipt_id)
    if receipt.provider == Provider.MPESA or receipt.verification == Verification.NEVER_CAME:
        raise ActionNotAvailable("This is an M-Pesa payment. Only M-Pesa can confirm it.")
    _check_not_involved(receipt, by)
    report = SourceReport(ReceiptSource.STAFF, receipt.amount, receipt.number, by=by.pk)
    record(receipt, report)
    receipt.refresh_from_db()
    if receipt.is_in_doubt and is_enough(receipt, list(receipt.evidence.all())):
        end_doubt(receipt, Verification.CONFIRMED)
    return receipt


@transaction.atomic
def doubt_bank_receipt(receipt_id: int) -> Receipt:
    """Put a bank payment in doubt, also one that was confirmed: the bank's own statement does not
    show it, or shows that it was taken back."""
    receipt = lock_receipt(receipt_id)
    if receipt.provider == Provider.MPESA or receipt.verification in DOUBTFUL:
        raise ActionNotAvailable("This payment is in doubt, written off, or from M-Pesa.")
    put_in_doubt(receipt_id, "The bank's own statement does not show it, or shows it taken back.")
    receipt.refresh_from_db()
    return receipt


@transaction.atomic
def query_receipt_again(receipt_id: int) -> Receipt:
    """Have the clock query M-Pesa again about an unconfirmed payment."""
    receipt = lock_receipt(receipt_id)
    if receipt.provider != Provider.MPESA or not receipt.number or receipt.is_confirmed:
        raise ActionNotAvailable(
            "M-Pesa has confirmed this payment, or cannot be queried about it."
        )
    request_confirmation([receipt], again=True)
    return receipt


@transaction.atomic
def confirm_doubted_receipt(receipt_id: int, *, by: User) -> Receipt:
    """Confirm a payment in doubt that M-Pesa's own statement or answer has shown since it was put
    in doubt: older reports were known then.

    If nothing else reports its amount, ``by`` is the second source beside M-Pesa.
    """
    receipt = lock_receipt(receipt_id)
    if not receipt.is_in_doubt:
        raise ActionNotAvailable("This payment is not in doubt.")
    _check_not_involved(receipt, by)
    if not is_shown_since_the_doubt(receipt):
        raise ActionNotAvailable(
            "M-Pesa has not shown this payment since it was put in doubt. Query M-Pesa again."
        )
    if not is_enough(receipt, list(receipt.evidence.all())):
        _vouch_for(receipt, by)
    end_doubt(receipt, Verification.CONFIRMED)
    return receipt


@transaction.atomic
def write_off_receipt(receipt_id: int, *, by: User) -> Receipt:
    """Write off a payment in doubt that never arrived. The person who recorded it cannot."""
    receipt = lock_receipt(receipt_id)
    _check_not_involved(receipt, by)
    with not_available_on(NotInDoubt):
        return write_off_payment(receipt_id)


@transaction.atomic
def count_after_all(receipt_id: int, *, by: User) -> Receipt:
    """Count a payment again that was written off because it never arrived, as ``by`` has seen it.

    An M-Pesa payment only once M-Pesa's own statement or answer shows its number; its amount there
    counts. Who recorded the payment or bought the goods cannot decide this.
    """
    receipt = lock_receipt(receipt_id)
    _check_not_involved(receipt, by)
    reported = amount_on_gateway(receipt)
    if receipt.provider == Provider.MPESA and reported is None:
        raise ActionNotAvailable("M-Pesa has not shown this payment. Query M-Pesa about it first.")
    if receipt.provider != Provider.MPESA and not receipt.number:
        raise ActionNotAvailable("It was moved to another order, which has its number now.")
    with not_available_on(NotWrittenOff):
        receipt = undo_write_off(receipt_id)
    if receipt.provider != Provider.MPESA:
        return confirm_bank_receipt(receipt_id, by=by)
    if reported is not None and reported != receipt.amount:
        correct_amount(receipt, reported_amount=reported, source=ReceiptSource.STATUS)
        receipt.refresh_from_db()
    if not receipt.is_confirmed:
        # Whoever recorded it entered another amount: ``by`` is the second source beside M-Pesa.
        _vouch_for(receipt, by)
        receipt.refresh_from_db()
    return receipt


def _vouch_for(receipt: Receipt, by: User) -> None:
    """Record that a staff member has seen a receipt, which is locked, as it is recorded."""
    record(receipt, SourceReport(ReceiptSource.STAFF, receipt.amount, receipt.number, by=by.pk))


def _check_not_involved(receipt: Receipt, by: User, *others: Order) -> None:
    """Refuse who recorded a payment, or made the purchase it or one of the ``others`` is of."""
    orders = [order for order in (receipt.order, *others) if order is not None]
    involved = {*staff_who_reported([receipt.pk]), *(order.buyer_id for order in orders)}
    require_uninvolved(
        by, {"You cannot decide this: you recorded the payment or made the purchase.": involved}
    )


def _id_of(person: User | None) -> int | None:
    return None if person is None else person.pk


def reprocess_message(event_id: int) -> GatewayEvent:
    """Process a stored message as if it had just arrived. Safe to repeat."""
    if GatewayEvent.objects.get(pk=event_id).state == EventState.APPLIED:
        raise ActionNotAvailable("This message has already been processed.")
    return reprocess_event(event_id)


@transaction.atomic
def set_message_aside(event_id: int) -> GatewayEvent:
    """Record that a message was reviewed and needs no action."""
    event = lock_row(GatewayEvent, event_id)
    if event.state not in MAY_BE_SET_ASIDE:
        raise ActionNotAvailable("This message has already been processed or is being processed.")
    event.set_state(EventState.ASIDE, event.note)
    return event
