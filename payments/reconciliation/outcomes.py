"""How a payment attempt ends: the one place that records it. What arrived is in receipts.py."""

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
from omachemainproj.locking import locked_row
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
    Settling,
    amount_credited,
    order_balance,
)
from payments.models.same_payments import may_be_paid_with, sure_movement
from payments.refunds.services import refund_excess, refund_excess_locked

from . import receipts
from .receipts import find_receipt

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, by a callback, a status query, the statement or a person.

    ``source`` is a ``ReceiptSource``. ``amount`` (whole KES) is None and ``receipt`` empty where
    the source does not name them, as a status query never does.
    """

    succeeded: bool
    code: str
    text: str
    source: str
    amount: int | None = None
    receipt: str = ""
    paid_at: datetime | None = None
    #: The id of the person, where one says so.
    by: int | None = None

    def told(self, asked: int) -> SourceReport:
        """What of it may confirm a receipt; ``asked`` are the KES that were asked for."""
        amount = asked if self.amount is None else self.amount
        # What a person says of a prompt names no short code; the gateway's own word is about ours.
        shortcode = "" if self.source == ReceiptSource.STAFF else evidence.receiving_number()
        return SourceReport(self.source, amount, self.receipt, shortcode, self.by)


@transaction.atomic
def record_outcome(payment_id: int, outcome: Outcome) -> str:
    """Record how an attempt ended, and the receipt of a success. Safe to repeat, in any order.

    Only a confirmation is final: a success that comes late overturns a failure, never the other
    way round. Saving a confirmed attempt pays its order inside this transaction, if what came
    covers it; what came beyond that is refunded.

    Returns a note of what was done.
    """
    payment = OrderPayment.objects.locked_with_orders().get(pk=payment_id)
    return record_outcome_locked(payment, outcome)


def record_outcome_locked(payment: OrderPayment, outcome: Outcome) -> str:
    """Do as ``record_outcome`` does, inside a transaction that holds the locks of the attempt and
    of ``payment.order`` already: two attempts of one order may end at once."""
    if outcome.succeeded:
        order = payment.order
        payment.settling = Settling(order.pk, order)
        note = _credit(payment, order, outcome)
        money = payment.settling.money
        if money is None or not order.is_paid:
            # The order may have moved on since, in its receivers.
            money = order_balance(order.pk)
            order.payment_status = money.payment_status
        payment.settling = None
        refund_excess_locked(order, money=money)
        return note
    if not payment.is_open:
        if payment.next_check_at is not None:
            payment.next_check_at = None
            payment.save(update_fields=["next_check_at"])
        return f"A failure after the end: still {payment.status}."
    payment.status, was_live = AttemptStatus.FAILED, payment.live
    _close(payment, outcome)
    if was_live:
        end_hold_of(payment, outcome.code)
    notify_payment_failed(payment, payment.order, outcome.code, live=was_live)
    return "The attempt failed."


@transaction.atomic
def sync_order_with_payment(order_id: int) -> None:
    """Pay an order whose payment was confirmed without the order's knowing. Safe to repeat."""
    mark_order_paid(order_id, credited=partial(amount_credited, order_id))
    refund_excess(order_id)


def _credit(payment: OrderPayment, order: Order, outcome: Outcome) -> str:
    known = _known_receipts(payment, outcome.receipt)
    kept = next((receipt for receipt in known if receipt.payment_id == payment.pk), None)
    if kept is not None and outcome.receipt in {"", kept.number}:
        evidence.record(kept, outcome.told(payment.amount))
        return "Counted already."
    if kept is not None:
        note = _add_details(payment, order, kept, outcome)
        _keep_evidence(payment, outcome)
        return note
    if outcome.receipt:
        found = next(iter(known), None)
    else:
        found = _find_manual(payment) or _find_in_suspense(payment)
    if found is not None:
        note = _claim_receipt(payment, order, found, outcome)
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
        outcome.told(payment.amount),
    )
    _confirm(payment, order, outcome)
    if receipt.amount != payment.amount:
        return f"KES {receipt.amount} came, KES {payment.amount} was asked."
    return "The money is credited."


def _keep_evidence(payment: OrderPayment, outcome: Outcome) -> None:
    """Keep what an outcome says of the receipt that it is about, whichever that is by now."""
    about = find_receipt(outcome.receipt)
    if about is None:
        about = Receipt.objects.filter(payment=payment).first()
    if about is not None and about.order_id in {None, payment.order_id}:
        evidence.record(about, outcome.told(payment.amount))


def _known_receipts(payment: OrderPayment, number: str) -> list[Receipt]:
    """The attempt's own receipt, and the one with this number, as far as they are recorded."""
    return _receipts_known(payment.pk, number or None)


@compiled
def _receipts_known(payment: int, number: str | None) -> QuerySet[Receipt]:
    known = Q(payment=payment)
    if number is not None:
        # Not the empty one: that has to be said, since the index leaves those without one out.
        known |= Q(provider=Provider.MPESA, number=number) & ~Q(number="")
    return Receipt.objects.filter(known).select_related("payment").order_by("pk")


def _find_manual(payment: OrderPayment) -> Receipt | None:
    """The order's receipt that was taken for a manual payment and may be this STK push's.

    M-Pesa's C2B confirmation does not say whether an STK push asked for the payment, and the status
    query does not name its receipt. Both are the same payment unless another turns up, or M-Pesa
    shows that another phone paid.
    """
    manual = Receipt.objects.filter(
        order=payment.order_id,
        payment__channel=Channel.PAY_BILL,
        amount=payment.amount,
        created_at__gte=payment.rung_at or payment.created_at,
    ).order_by("pk")
    return next((each for each in manual if may_be_paid_with(payment, each)), None)


def _find_in_suspense(payment: OrderPayment) -> Receipt | None:
    """Money without an order that is this STK push's and can be nothing else."""
    found = sure_movement(payment)
    if found is None:
        return None
    try:
        receipts.check_may_be_matched(found)
    except receipts.AlreadyMatched:
        return None
    return found


def _claim_receipt(payment: OrderPayment, order: Order, receipt: Receipt, outcome: Outcome) -> str:
    """Make a receipt that another source reported this attempt's, if it is its own."""
    if receipt.order_id is None:
        # A person may be matching or refunding it at this very moment.
        receipt = locked_row(Receipt, receipt.pk)
    if outcome.source == ReceiptSource.STAFF and receipt.amount != payment.amount:
        return f"{receipt} came, and the prompt asked for KES {payment.amount}: it is another's."
    manual, ours = receipt.payment, (payment.order_id, Channel.PAY_BILL)
    if receipt.order_id is None:
        receipt.note = ""
        try:
            # M-Pesa's own callback of this very prompt counts, though another answer put the money
            # in doubt; a person has to decide about that first.
            is_its_own = outcome.source == ReceiptSource.CALLBACK
            receipts.match(receipt, order, though_in_doubt=is_its_own)
        except receipts.AlreadyMatched as error:
            logger.error("payment %s: %s", payment.pk, error)
            return f"{error} Nothing was credited."
    elif manual is None or (manual.order_id, manual.channel) != ours:
        logger.error("payment %s: receipt %s is counted already", payment.pk, receipt.number)
        return f"Receipt {receipt.number} is counted already; nothing was credited."
    receipt.payment = payment
    receipt.source = outcome.source if outcome.receipt else receipt.source
    receipt.paid_at = outcome.paid_at or receipt.paid_at
    receipt.save(update_fields=["payment", "source", "paid_at"])
    if manual is not None:
        # It was this STK push's after all, and so are the messages about it.
        manual.events.update(payment=payment)
        manual.delete()
    if outcome.amount not in {None, receipt.amount}:
        # Before what the correction leads to: what its buyer is notified of may go to this phone.
        # It may pay the order, as another row, which ``order`` knows nothing of.
        record_paid_from(order.buyer_id, payment.phone, timezone.now())
        payment.settling = Settling(order.pk)
        receipts.correct_amount(receipt, reported_amount=outcome.amount or 0, source=outcome.source)
    _confirm(payment, order, outcome)
    return "The money had come already; it is known to be this attempt's now."


def _add_details(payment: OrderPayment, order: Order, kept: Receipt, outcome: Outcome) -> str:
    """Add what a later report says about a receipt that is recorded already, without a number or
    with another one."""
    if (
        kept.source in {ReceiptSource.C2B, ReceiptSource.STATEMENT, ReceiptSource.STAFF}
        and outcome.source == ReceiptSource.CALLBACK
    ):
        # The number came from another source and was taken for this attempt's; it is not. What pays
        # the order then is another row, which reads it anew: ``order`` knows nothing of that.
        payment.settling = Settling(order.pk)
        receipts.record_manual_payment(kept, order)
        return _credit(payment, order, outcome)
    found = find_receipt(outcome.receipt)
    if found is not None:
        return _merge_found(kept, found, order)
    if kept.number and (
        kept.source == ReceiptSource.CALLBACK or outcome.source != ReceiptSource.CALLBACK
    ):
        return _hold_second_receipt(kept, outcome)
    # A number reported at the attempt's own address replaces none, and one from another source.
    kept.number, kept.paid_at, kept.source = outcome.receipt, outcome.paid_at, outcome.source
    kept.save(update_fields=["number", "paid_at", "source"])
    if outcome.amount not in {None, kept.amount}:
        # The query that proved the payment does not report an amount.
        return receipts.correct_amount(
            kept, reported_amount=outcome.amount or 0, source=outcome.source
        )
    return "Counted already; its receipt number is known now."


def _merge_found(kept: Receipt, found: Receipt, order: Order) -> str:
    """Merge the attempt's receipt with the one its number was recorded under, if that is free."""
    if kept.number or found.order_id is not None:
        return f"Receipt {found.number} is counted elsewhere; nothing changed."
    # It lay in suspense: no reference was typed, and nobody knew yet that it was this one.
    try:
        receipts.merge_receipts(kept, found, order, note="")
    except receipts.AlreadyMatched as error:
        return f"{error} Nothing changed."
    return "Counted already; it lay in suspense under its number."


def _hold_second_receipt(kept: Receipt, outcome: Outcome) -> str:
    """Hold a second receipt for one STK push, which pays once, in suspense for a person."""
    note = f"A second receipt for the attempt behind {kept.number}."
    receipts.create_receipt(
        Receipt(
            number=outcome.receipt,
            amount=outcome.amount or 0,
            source=outcome.source,
            paid_at=outcome.paid_at,
            note=note,
        ),
        outcome.told(kept.amount),
    )
    logger.error("receipt %s: %s In suspense.", outcome.receipt, note)
    return note


def _confirm(payment: OrderPayment, order: Order, outcome: Outcome) -> None:
    payment.status = AttemptStatus.CONFIRMED
    payment.confirmed_at = timezone.now()
    # Before its receivers run: what they notify of may go to this phone.
    record_paid_from(order.buyer_id, payment.phone, payment.confirmed_at)
    _close(payment, outcome)


def _close(payment: OrderPayment, outcome: Outcome) -> None:
    payment.live = False
    payment.next_check_at = None
    payment.result_code = outcome.code
    payment.result_text = outcome.text[:200]
    payment.save(
        update_fields=[
            "status",
            "live",
            "next_check_at",
            "result_code",
            "result_text",
            "confirmed_at",
        ]
    )
