"""Records how a payment attempt that was sent to M-Pesa ended; receipts.py records the money.

An attempt that never reached M-Pesa ends in payments/checkout/stk_push.py; a manual payment is
created as confirmed in receipts.py.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.contacts import record_paid_from
from omachemainproj.compiled_queries import compiled
from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from orders.lifecycle import mark_order_paid
from orders.models import Order
from payments import evidence
from payments.checkout.messages import notify_payment_failed
from payments.checkout.stk_push import end_hold_of
from payments.evidence import SourceReport
from payments.models import (
    AttemptStatus,
    Channel,
    OrderPayment,
    Provider,
    Receipt,
    ReceiptSource,
    SettlementContext,
    amount_credited,
    order_balance,
)
from payments.payment_matching import may_be_paid_with, only_matching_receipt
from payments.refunds.services import refund_excess, refund_excess_locked
from payments.shortcodes import receiving_shortcode

from . import receipts, suspense
from .misapplied import NotMisapplied, is_on_staffs_word, merge_unnumbered, reopen_attempt
from .receipts import find_receipt

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """The outcome of an attempt, as reported by a callback, a status query, the statement or staff.

    ``source`` is a ``ReceiptSource``. ``amount`` (whole KES) is None and ``receipt`` empty if the
    source does not name them, as a status query never does.
    """

    succeeded: bool
    code: str
    text: str
    source: str
    amount: int | None = None
    receipt: str = ""
    paid_at: datetime | None = None
    #: The id of the staff member who reported it, if one did.
    by: int | None = None

    def as_report(self, payment: OrderPayment) -> SourceReport:
        """The report that may confirm a receipt of ``payment``."""
        amount = payment.amount if self.amount is None else self.amount
        # Staff name no short code; the gateway's own reports are about the one that was sent.
        ours = payment.shortcode or receiving_shortcode()
        shortcode = "" if self.source == ReceiptSource.STAFF else ours
        return SourceReport(self.source, amount, self.receipt, shortcode, self.by)


@transaction.atomic
def record_outcome(payment_id: int, outcome: AttemptOutcome) -> str:
    """Record how an attempt ended, and the receipt of a success. Safe to repeat, in any order.

    Only a confirmation is final: a late success overrides a failure, never the other way round.
    Saving a confirmed attempt pays its order inside this transaction, if the money credited covers
    it; any excess is refunded.

    Returns a note of what was done.
    """
    payment = OrderPayment.objects.locked_with_orders().get(pk=payment_id)
    return record_outcome_locked(payment, outcome)


def record_outcome_locked(payment: OrderPayment, outcome: AttemptOutcome) -> str:
    """``record_outcome`` inside a transaction that holds the locks of the attempt and of
    ``payment.order`` already: two attempts of one order may end at the same time."""
    if outcome.succeeded:
        order = payment.order
        settlement = SettlementContext(order.pk, order)
        note = _credit(payment, order, outcome, settlement)
        money = settlement.money
        if money is None or not order.is_paid:
            # The receivers may have changed the order.
            money = order_balance(order.pk)
            order.payment_status = money.payment_status
        refund_excess_locked(order, money=money)
        return note
    if not payment.is_open:
        if payment.next_check_at is not None:
            payment.next_check_at = None
            payment.save(update_fields=["next_check_at"])
        return f"A failure after it ended: still {payment.status}."
    payment.status, was_live = AttemptStatus.FAILED, payment.live
    payment.save(update_fields=_end(payment, outcome))
    if was_live:
        end_hold_of(payment, outcome.code)
    notify_payment_failed(payment, payment.order, outcome.code, live=was_live)
    return "The attempt failed."


@transaction.atomic
def sync_order_with_payment(order_id: int) -> None:
    """Pay an order whose payment was confirmed but which was not marked as paid. Safe to repeat."""
    mark_order_paid(order_id, credited=partial(amount_credited, order_id))
    refund_excess(order_id)


def _credit(
    payment: OrderPayment, order: Order, outcome: AttemptOutcome, settlement: SettlementContext
) -> str:
    """Credit the money of an attempt, once, and confirm the attempt.

    ``settlement`` goes to the save that confirms it; where another row of the order was changed
    first, so that ``order`` may be outdated, that save gets a new one, without the order.
    """
    known = _known_receipts(payment, outcome.receipt)
    own = next((receipt for receipt in known if receipt.payment_id == payment.pk), None)
    if own is not None and outcome.receipt in {"", own.number}:
        is_new = evidence.record(own, outcome.as_report(payment))
        if is_new and outcome.amount not in {None, own.amount}:
            return receipts.show_other_amount(own, reported_amount=outcome.amount or 0)
        return "Already recorded."
    if own is not None:
        note = _add_details(payment, order, own, outcome)
        _keep_evidence(payment, outcome)
        return note
    if outcome.receipt:
        found = next(iter(known), None)
    else:
        found = _find_manual(payment) or _find_in_suspense(payment)
    if found is not None:
        note = _claim_receipt(payment, order, found, outcome, settlement)
        _keep_evidence(payment, outcome)
        return note
    receipt = receipts.create_receipt(
        Receipt(
            number=outcome.receipt,
            amount=payment.amount if outcome.amount is None else outcome.amount,
            payment=payment,
            order=order,
            source=outcome.source,
            paid_at=outcome.paid_at,
        ),
        outcome.as_report(payment),
    )
    _confirm(payment, order, outcome, settlement)
    if receipt.amount != payment.amount:
        return f"{format_kes(receipt.amount)} arrived, {format_kes(payment.amount)} was requested."
    return "The payment is credited."


def _keep_evidence(payment: OrderPayment, outcome: AttemptOutcome) -> None:
    """Record the report of an outcome for the receipt it is about, whichever that is by now."""
    about = find_receipt(outcome.receipt)
    if about is None:
        about = Receipt.objects.filter(payment=payment).first()
    if about is not None and about.order_id in {None, payment.order_id}:
        evidence.record(about, outcome.as_report(payment))


def _known_receipts(payment: OrderPayment, number: str) -> list[Receipt]:
    """The attempt's own receipt and the one with this number, if they are recorded."""
    return _receipts_known(payment.pk, number or None)


@compiled
def _receipts_known(payment: int, number: str | None) -> QuerySet[Receipt]:
    known = Q(payment=payment)
    if number is not None:
        # Without the condition that the number is not empty, the partial index would not be used.
        known |= Q(provider=Provider.MPESA, number=number) & ~Q(number="")
    return Receipt.objects.filter(known).select_related("payment").order_by("pk")


def _find_manual(payment: OrderPayment) -> Receipt | None:
    """A receipt of the order that was recorded as a manual payment and may be this STK push's.

    M-Pesa's C2B confirmation does not say whether an STK push requested the payment, and the status
    query does not name the receipt. They are the same payment unless another one turns up, or
    M-Pesa shows that another phone paid.
    """
    manual = Receipt.objects.filter(
        order=payment.order_id,
        payment__channel=Channel.PAY_BILL,
        amount=payment.amount,
        created_at__gte=payment.rung_at or payment.created_at,
    ).order_by("pk")
    return next((each for each in manual if may_be_paid_with(payment, each)), None)


def _find_in_suspense(payment: OrderPayment) -> Receipt | None:
    """Money without an order that can only be this STK push's."""
    receipt = only_matching_receipt(payment)
    if receipt is None:
        return None
    try:
        suspense.check_may_be_matched(receipt)
    except suspense.AlreadyMatched:
        return None
    return receipt


def _claim_receipt(
    payment: OrderPayment,
    order: Order,
    receipt: Receipt,
    outcome: AttemptOutcome,
    settlement: SettlementContext,
) -> str:
    """Assign a receipt that another source reported to this attempt, if it belongs to it."""
    if receipt.order_id is None:
        # Staff may be matching or refunding it right now.
        receipt = lock_row(Receipt, receipt.pk)
    if outcome.source == ReceiptSource.STAFF and receipt.amount != payment.amount:
        asked = format_kes(payment.amount)
        return f"{receipt} arrived, but the prompt was for {asked}: it is another payment."
    manual, ours = receipt.payment, (payment.order_id, Channel.PAY_BILL)
    if receipt.order_id is None:
        receipt.note = ""
        try:
            # M-Pesa's own callback of this prompt counts even if another answer put the money in
            # doubt; staff have to decide about that first.
            is_its_own = outcome.source == ReceiptSource.CALLBACK
            suspense.match(receipt, order, though_in_doubt=is_its_own)
        except suspense.AlreadyMatched as error:
            logger.error("payment %s: %s", payment.pk, error)
            return f"{error} Nothing was credited."
    elif manual is None or (
        (manual.order_id, manual.channel) != ours and not _may_take_over(receipt, outcome, order)
    ):
        logger.error("payment %s: receipt %s is recorded already", payment.pk, receipt.number)
        _put_in_doubt_if_misapplied(receipt, order, outcome)
        return f"Receipt {receipt.number} is already recorded; nothing was credited."
    receipt.payment = payment
    receipt.source = outcome.source if outcome.receipt else receipt.source
    receipt.paid_at = outcome.paid_at or receipt.paid_at
    receipt.save(update_fields=["payment", "source", "paid_at"])
    if manual is not None and manual.channel == Channel.STK:
        reopen_attempt(manual.pk)
    elif manual is not None:
        # It was this STK push's after all, and so are the messages about it.
        manual.events.update(payment=payment)
        manual.delete()
    if outcome.amount not in {None, receipt.amount}:
        # Before the correction takes effect: its notifications may go to this phone. It may pay the
        # order through another row, of which ``order`` knows nothing.
        record_paid_from(order.buyer_id, payment.phone, timezone.now())
        settlement = SettlementContext(order.pk)
        receipts.correct_amount(receipt, reported_amount=outcome.amount or 0, source=outcome.source)
    _confirm(payment, order, outcome, settlement)
    return "The money was already recorded; it is now known to be this attempt's."


def _may_take_over(receipt: Receipt, outcome: AttemptOutcome, order: Order) -> bool:
    """Whether a receipt that staff entered for another prompt of the order is this prompt's: its
    own callback names it, or staff correct themselves."""
    names_it = outcome.source in {ReceiptSource.CALLBACK, ReceiptSource.STAFF}
    return names_it and receipt.order_id == order.pk and is_on_staffs_word(receipt)


def _put_in_doubt_if_misapplied(receipt: Receipt, order: Order, outcome: AttemptOutcome) -> None:
    """Put a receipt in doubt that staff recorded for another order: it is of a prompt of this one,
    as that prompt's own callback says."""
    by_staff = receipt.evidence.filter(source=ReceiptSource.STAFF)
    is_elsewhere = receipt.order_id not in {None, order.pk}
    if outcome.source == ReceiptSource.CALLBACK and is_elsewhere and by_staff.exists():
        receipts.put_in_doubt_for_its_order(evidence.lock_receipt(receipt.pk), order.reference)


def _add_details(payment: OrderPayment, order: Order, own: Receipt, outcome: AttemptOutcome) -> str:
    """Add the details of a later report to a receipt that has no number or a different one."""
    if (
        own.source in {ReceiptSource.C2B, ReceiptSource.STATEMENT, ReceiptSource.STAFF}
        and outcome.source == ReceiptSource.CALLBACK
    ):
        # The number came from another source and was wrongly taken for this attempt's. The order is
        # paid by another row then, whose receiver has to read the order again.
        receipts.record_manual_payment(own, order)
        return _credit(payment, order, outcome, SettlementContext(order.pk))
    found = find_receipt(outcome.receipt)
    if found is not None:
        _put_in_doubt_if_misapplied(found, order, outcome)
        return _merge_found(own, found, order)
    if own.number and (
        own.source == ReceiptSource.CALLBACK or outcome.source != ReceiptSource.CALLBACK
    ):
        return _hold_second_receipt(payment, own, outcome)
    # A number reported at the attempt's own callback URL does not replace another such number, and
    # numbers from other sources replace none.
    own.number, own.paid_at, own.source = outcome.receipt, outcome.paid_at, outcome.source
    own.save(update_fields=["number", "paid_at", "source"])
    if outcome.amount not in {None, own.amount}:
        # The query that proved the payment reports no amount.
        return receipts.correct_amount(
            own, reported_amount=outcome.amount or 0, source=outcome.source
        )
    return "Already recorded; its receipt number is known now."


def _merge_found(own: Receipt, found: Receipt, order: Order) -> str:
    """Merge the attempt's receipt with the one recorded under its number, if that one is free, or
    if staff entered it for another prompt of the order."""
    if not own.number and found.order_id == order.pk and is_on_staffs_word(found):
        try:
            merge_unnumbered(own, found, order)
        except NotMisapplied as error:
            return f"{error} Nothing changed."
        return "Already recorded; staff had entered its number for another prompt."
    if own.number or found.order_id is not None:
        return f"Receipt {found.number} is recorded elsewhere; nothing changed."
    # It was in suspense: no reference was typed, and it was not known yet that it was this one.
    try:
        suspense.merge_receipts(own, found, order, note="")
    except suspense.AlreadyMatched as error:
        return f"{error} Nothing changed."
    return "Already recorded; it was in suspense under its number."


def _hold_second_receipt(payment: OrderPayment, own: Receipt, outcome: AttemptOutcome) -> str:
    """Put a second receipt of one STK push, which pays only once, in suspense for staff."""
    note = f"A second receipt for the attempt behind {own.number}."
    suspense.hold(
        Receipt(
            number=outcome.receipt,
            amount=outcome.amount or 0,
            source=outcome.source,
            paid_at=outcome.paid_at,
            note=note,
        ),
        outcome.as_report(payment),
    )
    logger.error("receipt %s: %s In suspense.", outcome.receipt, note)
    return note


def _confirm(
    payment: OrderPayment, order: Order, outcome: AttemptOutcome, settlement: SettlementContext
) -> None:
    """Save an attempt as paid; the receiver of that save pays its order (payments.signals)."""
    payment.status = AttemptStatus.CONFIRMED
    payment.confirmed_at = timezone.now()
    # Before the receivers run: their notifications may go to this phone.
    record_paid_from(order.buyer_id, payment.phone, payment.confirmed_at)
    payment.save_with_settlement(settlement, update_fields=_end(payment, outcome))


def _end(payment: OrderPayment, outcome: AttemptOutcome) -> list[str]:
    """Set how an attempt ended; returns the columns to save."""
    payment.live = False
    payment.next_check_at = None
    payment.result_code = outcome.code
    payment.result_text = outcome.text[:200]
    return ["status", "live", "next_check_at", "result_code", "result_text", "confirmed_at"]
