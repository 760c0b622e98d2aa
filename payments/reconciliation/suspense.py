"""Money in suspense: putting it there, matching it to an order, or merging it with a receipt that
has no number.

Locks: the order first, then the receipts, the lower id first.
"""

from __future__ import annotations

import logging

from django.db import transaction

from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from omachemainproj.phones import clearer_phone
from orders.models import Order
from payments import evidence, ledger
from payments.evidence import SourceReport
from payments.models import DOUBTFUL, Provider, Receipt
from payments.payment_matching import (
    criteria_of,
    matching_attempts,
    matching_receipts,
    only_matching_attempt,
)
from payments.refunds.external_reversals import repeat_reversals, undo_reversals
from payments.refunds.services import drop_unsent_refunds, refund_excess

from .receipts import (
    correct_amount,
    create_receipt,
    fill_in_details,
    find_without_number,
    record_manual_payment,
)

logger = logging.getLogger(__name__)


def hold(receipt: Receipt, report: SourceReport) -> Receipt:
    """Record new money that no order is known for yet; ``receipt.note`` tells staff why.

    Raises IntegrityError if its number is recorded already. Call inside a transaction.
    """
    if receipt.order_id is not None:
        raise TypeError(f"{receipt} has order {receipt.order_id}, so it is not held in suspense")
    return create_receipt(receipt, report)


@transaction.atomic
def match_to_order(receipt_id: int, order_id: int, *, note: str) -> Receipt:
    """Match a receipt in suspense to an order, as staff decided.

    The order is paid if the money covers it, and any excess is refunded. If the order has a prompt
    of this amount whose receipt has no number, the two are merged, unless M-Pesa shows another
    phone. Raises AlreadyMatched if the receipt has an order or is being refunded, MayBeMisapplied
    if it may be another order's prompt.
    """
    order = lock_row(Order, order_id)
    receipt = lock_row(Receipt, receipt_id)
    check_may_be_matched(receipt)
    return apply_to_order(receipt, order, note=note, by_reference=False)


def apply_to_order(receipt: Receipt, order: Order, *, note: str, by_reference: bool) -> Receipt:
    """Apply money in suspense to an order: merge it with a receipt of the order's prompt that has
    no number, if they may be the same payment; otherwise record it as a manual payment.

    Without a payer's reference the money may belong to another order's prompt: staff decide first.
    Raises AlreadyMatched and MayBeMisapplied. Returns the order's receipt.
    """
    same = find_without_number(order, receipt)
    if same is not None and not receipt.is_not_from_prompt:
        return merge_receipts(same, receipt, order, note=note)
    if receipt.refunds.taken_back().exists():
        raise AlreadyMatched(f"M-Pesa reversed {receipt}: nothing of it is left.")
    if not by_reference:
        check_decided(receipt, except_order=order.pk)
    receipt.note = note[:200]
    match(receipt, order)
    record_manual_payment(receipt, order)
    refund_excess(order.pk)
    return receipt


class AlreadyMatched(ValueError):
    """The money cannot be matched to an order: it already has one, is being refunded, is in doubt,
    or is not a buyer's payment. Its text can be shown to staff."""


def check_may_be_applied(receipt: Receipt, *, though_in_doubt: bool = False) -> None:
    """Raise AlreadyMatched if the money cannot be matched to an order. Every way to match it uses
    this check.

    Refunds are checked by ``check_may_be_matched`` only, because a merge drops the unsent ones.
    ``though_in_doubt`` is for M-Pesa's own report at an attempt's callback address: the doubt is
    decided later, and the order's goods wait for that. Call inside a transaction that holds the
    receipt's lock.
    """
    if receipt.order_id is not None or receipt.same_as_id:
        raise AlreadyMatched(f"{receipt} is already matched to an order.")
    if receipt.verification in DOUBTFUL and not (though_in_doubt and receipt.is_in_doubt):
        raise AlreadyMatched(f"{receipt} is in doubt. Decide first whether it arrived.")
    if receipt.is_returned_transfer:
        raise AlreadyMatched(f"{receipt} was sent by the shop and came back: no buyer paid it.")


def check_may_be_matched(receipt: Receipt, *, though_in_doubt: bool = False) -> None:
    """Raise AlreadyMatched if the money cannot be matched to an order, or the shop is refunding it.

    Call inside a transaction that holds the receipt's lock.
    """
    check_may_be_applied(receipt, though_in_doubt=though_in_doubt)
    if receipt.refunds.owed().exclude(pk__in=receipt.refunds.done_outside()).exists():
        raise AlreadyMatched(f"{receipt} is being refunded.")


def merge_receipts(unnamed: Receipt, movement: Receipt, order: Order, *, note: str) -> Receipt:
    """Merge money in suspense into an order's receipt without a number: both are one payment.

    The order's receipt takes the number, and the posting of the other is reversed by opposite
    entries. If their amounts differ, the amount in suspense is right, unless only staff reported
    it. What M-Pesa reversed of it is missing from the order. Call inside a transaction that holds
    the order's lock. Raises AlreadyMatched if either has changed meanwhile, or the shop is
    refunding the money.

    Returns the order's receipt.
    """
    # In the order of their ids: staff may be matching either right now.
    locked = {pk: lock_row(Receipt, pk) for pk in sorted((unnamed.pk, movement.pk))}
    unnamed, movement = locked[unnamed.pk], locked[movement.pk]
    if unnamed.number or unnamed.same_as_id or unnamed.order_id != order.pk:
        raise AlreadyMatched("The number of that receipt is already known.")
    check_may_be_applied(movement)
    if not movement.number or movement.provider != unnamed.provider:
        raise AlreadyMatched(f"{movement} is another payment.")
    if not drop_unsent_refunds(movement):
        raise AlreadyMatched(f"{movement} is already being refunded.")
    reversals = undo_reversals(movement, f"It is the payment of order {order.reference}.")
    ledger.post_merge(movement)
    number, amount = movement.number, movement.amount
    amount_reported_by = evidence.source_of_amount(movement)
    movement.note = (
        f"{format_kes(amount)} as {number} is the receipt of order {order.reference}. {note}"
    )
    movement.note = movement.note.strip()[:200]
    movement.number, movement.amount, movement.same_as = "", 0, unnamed
    movement.save(update_fields=["number", "amount", "same_as", "note"])
    movement.events.update(receipt=unnamed, payment=unnamed.payment_id)
    unnamed.number, unnamed.source = number, movement.source
    if not unnamed.phone:
        unnamed.phone_by_id = movement.phone_by_id
    unnamed.phone = clearer_phone(unnamed.phone, movement.phone)
    fill_in_details(unnamed, movement)
    unnamed.save()
    evidence.copy_evidence(unnamed, movement)
    logger.info("receipt %s: found to be that of order %s", number, order.reference)
    if amount != unnamed.amount:
        correct_amount(unnamed, reported_amount=amount, source=amount_reported_by)
    repeat_reversals(unnamed, reversals)
    refund_excess(order.pk)
    return unnamed


@transaction.atomic
def merge_if_sure(receipt_id: int) -> bool:
    """Merge money in suspense with a receipt without a number if they are certainly one payment.

    They are if no other prompt and no other money agree in amount, time and phone. Safe to repeat.
    Returns whether they were merged.
    """
    receipt = Receipt.objects.get(pk=receipt_id)
    attempt = only_matching_attempt(criteria_of(receipt))
    if attempt is None or not attempt.is_confirmed or len(matching_receipts(attempt)) != 1:
        return False
    order = lock_row(Order, attempt.order_id)
    try:
        merge_receipts(attempt.receipt, receipt, order, note="")
    except AlreadyMatched:
        return False
    return True


class MayBeMisapplied(ValueError):
    """The money may have paid a prompt whose receipt has no number. Staff can see its text."""


def check_decided(receipt: Receipt, *, except_order: int = 0) -> None:
    """Raise MayBeMisapplied if it may have paid a prompt of an order but ``except_order``."""
    if receipt.is_not_from_prompt or receipt.provider != Provider.MPESA:
        return
    for attempt, _ in matching_attempts(criteria_of(receipt)):
        if attempt.order_id != except_order and attempt.is_confirmed:
            raise MayBeMisapplied(
                f"It may be the receipt of order {attempt.order.reference}, whose number is not "
                f"known yet. Decide first whether it is."
            )


def match(receipt: Receipt, order: Order, *, though_in_doubt: bool = False) -> None:
    """Move money from suspense to an order. Call inside a transaction that locked both rows.

    While the money is in doubt, no goods of the order are handed over. What M-Pesa reversed of it
    is missing from the order. Raises AlreadyMatched if it cannot be matched.
    """
    check_may_be_matched(receipt, though_in_doubt=though_in_doubt)
    reversals = undo_reversals(receipt, f"It is the payment of order {order.reference}.")
    receipt.order, receipt.waiting = order, receipt.amount < order.amount
    receipt.save(update_fields=["order", "waiting", "note"])
    ledger.post_match(receipt)
    if any(reversals):
        taken = repeat_reversals(receipt, reversals)
        receipt.waiting = 0 < receipt.amount - taken < order.amount
        receipt.save(update_fields=["waiting"])
    if receipt.is_in_doubt:
        evidence.update_order_doubt(receipt)
