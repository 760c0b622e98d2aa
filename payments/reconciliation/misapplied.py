"""Misapplied payments: staff entered a receipt number for a prompt or an order whose payment it is
not.

Locks: the orders first, the lower id first, then the receipts likewise, then their refunds. The
attempt that loses its receipt is locked last, without waiting for it.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from omachemainproj.locking import lock_row
from omachemainproj.phones import clearer_phone
from orders.models import Order
from payments import evidence
from payments.doubt import end_doubt, put_in_doubt
from payments.evidence import SourceReport
from payments.models import (
    AttemptStatus,
    Channel,
    OrderPayment,
    Receipt,
    ReceiptSource,
    Verification,
)
from payments.models.evidence import PROVES_PROMPT
from payments.refunds.corrections import absorb_duplicate
from payments.refunds.external_reversals import copy_part_reversals, record_outside_reversal
from payments.refunds.services import refund_excess
from payments.refunds.write_offs import was_reversed, write_off_locked

from .receipts import (
    create_receipt,
    fill_in_details,
    find_without_number,
    is_in_doubt_for_its_order,
    record_manual_payment,
)

logger = logging.getLogger(__name__)


class NotMisapplied(ValueError):
    """The payment cannot be applied elsewhere. Its text can be shown to staff."""


def is_on_staffs_word(receipt: Receipt) -> bool:
    """Whether only staff say which prompt a receipt paid, and not M-Pesa's callback or status query
    of that prompt."""
    if receipt.payment is None or receipt.payment.channel != Channel.STK:
        return False
    sources = set(receipt.evidence.values_list("source", flat=True))
    return ReceiptSource.STAFF in sources and sources.isdisjoint(PROVES_PROMPT)


def reopen_attempt(payment_id: int) -> None:
    """Query M-Pesa again about an attempt that staff marked as paid with another one's receipt
    number: how it ended is unknown.

    Call inside a transaction that holds the lock of its order, once its receipt is applied
    elsewhere. Attempts are locked before their orders, so this waits for no lock: raises
    OperationalError if the attempt is in use, and the caller's transaction is repeated later.
    """
    attempts = OrderPayment.objects.select_for_update(no_key=True, nowait=True)
    attempt = attempts.get(pk=payment_id)
    was_accepted = bool(attempt.checkout_request_id)
    attempt.status = AttemptStatus.SUBMITTED if was_accepted else AttemptStatus.UNKNOWN
    attempt.confirmed_at, attempt.next_check_at = None, timezone.now()
    attempt.result_code = attempt.result_text = ""
    attempt.save(
        update_fields=["status", "confirmed_at", "next_check_at", "result_code", "result_text"]
    )
    logger.warning("payment %s: it was paid with another attempt's receipt number", payment_id)


def merge_unnumbered(unnumbered: Receipt, numbered: Receipt, order: Order) -> Receipt:
    """Merge the receipt of a prompt, known from a status query without a number, with that number's
    receipt, which staff entered for another prompt of the same order: both are one payment.

    The numbered receipt stays, and becomes the prompt's. The other's posting is reversed by an
    opposite one, its unsent refunds are dropped, and what the order lacks then is taken from other
    unsent refunds or written off. M-Pesa is queried again about the prompt whose receipt it was.

    Call inside a transaction that holds the order's lock. Raises NotMisapplied if they cannot be
    one payment, or if money of the one without a number may have left. Returns the receipt.
    """
    locked = {pk: lock_row(Receipt, pk) for pk in sorted((unnumbered.pk, numbered.pk))}
    unnumbered, numbered = locked[unnumbered.pk], locked[numbered.pk]
    if unnumbered.number or {unnumbered.order_id, numbered.order_id} != {order.pk}:
        raise NotMisapplied("One of them was changed meanwhile.")
    if not is_on_staffs_word(numbered):
        raise NotMisapplied(f"{numbered} is the payment of another prompt, as M-Pesa reported.")
    if numbered.verification == Verification.NEVER_CAME:
        raise NotMisapplied(f"{numbered} was written off because it never arrived.")
    if numbered.amount != unnumbered.amount:
        raise NotMisapplied(f"{numbered} is another payment than {unnumbered}.")
    prompt, misapplied_to = unnumbered.payment_id, numbered.payment_id
    note = f"It is {numbered}, which was entered for another prompt of order {order.reference}."
    if not absorb_duplicate(unnumbered, numbered, order, note=note):
        raise NotMisapplied(f"{unnumbered} is already being refunded.")
    numbered.payment_id = prompt
    fill_in_details(numbered, unnumbered)
    numbered.phone = clearer_phone(numbered.phone, unnumbered.phone)
    numbered.save(update_fields=["payment", "payer", "reference", "paid_at", "phone"])
    unnumbered.events.update(receipt=numbered)
    evidence.copy_evidence(numbered, unnumbered)
    evidence.update_order_doubt(numbered)
    if misapplied_to is not None:
        reopen_attempt(misapplied_to)
    logger.warning("receipt %s: it is another prompt's of order %s", numbered.number, order)
    return numbered


@transaction.atomic
def move_to_order(receipt_id: int, order_id: int) -> Receipt:
    """Apply a payment to another order than the one it is recorded for, as staff decided.

    The order it is recorded for is left as if the payment had never arrived
    (``write_off_locked``); its receipt gives its number away. The other order is paid if the
    money covers its price, and any excess is refunded. If that order has a prompt of this amount
    whose receipt has no number, it is that prompt's. What the shop refunded of it for the wrong
    order is the shop's loss there; what M-Pesa reversed of it is missing from the other order. If
    it was in doubt whether the payment came at all, or if it was written off, it is in doubt there
    until M-Pesa shows it: moving it is no proof.

    Raises NotMisapplied if it cannot be another order's, or was reversed and no prompt waits for
    it, and NotInDoubt if a refund of it is under way. Returns the receipt of the other order.
    """
    recorded_for = Receipt.objects.values_list("order_id", flat=True).get(pk=receipt_id)
    if recorded_for in {None, order_id}:
        raise NotMisapplied("This payment is not recorded for another order.")
    orders = {pk: lock_row(Order, pk) for pk in sorted((recorded_for, order_id))}
    order, receipt = orders[order_id], lock_row(Receipt, receipt_id)
    if not receipt.number:
        raise NotMisapplied(
            "It has no receipt number: it is not known yet, or it was moved already."
        )
    if not receipt.amount:
        raise NotMisapplied(f"Nothing came under {receipt.number}, as M-Pesa reported.")
    if not may_be_misapplied(receipt):
        raise NotMisapplied(f"{receipt} was paid for this order, as M-Pesa reported.")
    number, whose = receipt.number, f"{receipt.number} is the payment of order {order.reference}."
    is_reversed = receipt.verification != Verification.NEVER_CAME and was_reversed(receipt)
    doubt = "" if is_reversed else _doubt_to_keep(receipt)
    if is_reversed and find_without_number(order, receipt) is None:
        raise NotMisapplied(f"M-Pesa reversed {receipt}: nothing of it is left for another order.")
    if is_reversed:
        end_doubt(receipt, Verification.NEVER_CAME)
        receipt.note = whose
    elif receipt.verification != Verification.NEVER_CAME:
        write_off_locked(receipt, whose)
    else:
        receipt.note = f"{whose} {receipt.note}"[:200]
    receipt.number, receipt.unacknowledged = "", True
    receipt.save(update_fields=["number", "note", "unacknowledged"])
    moved = _record_for(order, receipt, number)
    evidence.copy_evidence(moved, receipt)
    if is_reversed:
        record_outside_reversal(moved.pk)
    if doubt:
        put_in_doubt(moved.pk, doubt)
        evidence.request_confirmation([moved], again=True)
    refund_excess(order.pk)
    logger.warning("receipt %s: moved from order %s to %s", number, orders[recorded_for], order)
    return moved


def _doubt_to_keep(receipt: Receipt) -> str:
    """Why it is in doubt that a payment came at all, whoever paid it; "" if it is not."""
    if receipt.verification == Verification.NEVER_CAME:
        return f"It was written off before it was moved here. {receipt.doubt}".strip()
    if receipt.is_in_doubt and not is_in_doubt_for_its_order(receipt):
        return str(receipt.doubt)
    return ""


def may_be_misapplied(receipt: Receipt) -> bool:
    """Whether a payment may be another order's than the one it is recorded for: it has a number and
    an amount, and is not its prompt's by M-Pesa's own word."""
    if receipt.order_id is None or not receipt.number or not receipt.amount:
        return False
    is_prompts = receipt.payment is not None and receipt.payment.channel == Channel.STK
    return not is_prompts or is_on_staffs_word(receipt)


def _record_for(order: Order, receipt: Receipt, number: str) -> Receipt:
    """Record the payment of a receipt that gave its number away for this order."""
    facts = {
        name: getattr(receipt, name)
        for name in ("provider", "amount", "source", "phone", "phone_by_id", "payer", "paid_at")
    }
    moved = Receipt(order=order, number=number, reference=order.reference, **facts)
    unnumbered = find_without_number(order, moved)
    if unnumbered is not None:
        unnumbered = lock_row(Receipt, unnumbered.pk)
        unnumbered.number, unnumbered.source = number, moved.source
        unnumbered.phone = clearer_phone(unnumbered.phone, moved.phone)
        fill_in_details(unnumbered, moved)
        unnumbered.save()
        copy_part_reversals(unnumbered, receipt)
        return unnumbered
    first = receipt.evidence.order_by("pk")[0]
    create_receipt(
        moved,
        SourceReport(first.source, first.amount, first.number, first.shortcode, first.told_by_id),
    )
    if taken := copy_part_reversals(moved, receipt):
        moved.waiting = order.is_unpaid and moved.amount - taken < order.amount
        moved.save(update_fields=["waiting"])
    record_manual_payment(moved, order)
    return moved
