"""Money in suspense: matching it to an order, or merging it with a receipt that has no number.

Locks: the order first, then the receipts, the lower id first.
"""

from __future__ import annotations

import logging

from django.db import transaction

from omachemainproj.compiled_queries import locked_row
from omachemainproj.money import format_kes
from omachemainproj.phones import clearer_phone
from orders.models import Order
from payments import evidence, ledger
from payments.models import (
    DOUBTFUL,
    Provider,
    Receipt,
)
from payments.models.same_payments import (
    attempts_behind,
    movement_of,
    movements_behind,
    sure_attempt,
)
from payments.refunds.services import drop_unsent_refunds, refund_excess

from .receipts import correct_amount, fill_in_details, find_without_number, record_manual_payment

logger = logging.getLogger(__name__)


@transaction.atomic
def match_to_order(receipt_id: int, order_id: int, *, note: str) -> Receipt:
    """Match a receipt in suspense to an order, as staff decided.

    The order is paid if the money covers it, and any excess is refunded. If the order has a prompt
    of this amount whose receipt has no number, the two are merged, unless M-Pesa shows another
    phone. Raises AlreadyMatched if the receipt has an order or is being refunded, MayBeAnothers if
    it may be another order's prompt.
    """
    order = locked_row(Order, order_id)
    receipt = locked_row(Receipt, receipt_id)
    if receipt.order_id is not None or receipt.same_as_id or receipt.refunds.owed().exists():
        raise AlreadyMatched(f"{receipt} is already matched to an order or is being refunded.")
    if receipt.verification in DOUBTFUL:
        raise AlreadyMatched(f"{receipt} is in doubt. Decide first whether it arrived.")
    if receipt.came_back:
        raise AlreadyMatched(f"{receipt} was sent by the shop and came back: no buyer paid it.")
    same = find_without_number(order, receipt)
    if same is not None and not receipt.is_not_from_prompt:
        return merge_receipts(same, receipt, order, note=note)
    check_decided(receipt, except_order=order.pk)
    receipt.note = note[:200]
    match(receipt, order)
    record_manual_payment(receipt, order)
    refund_excess(order.pk)
    return receipt


class AlreadyMatched(ValueError):
    """The receipt has an order, or is being refunded. Its text can be shown to staff."""


def merge_receipts(unnamed: Receipt, movement: Receipt, order: Order, *, note: str) -> Receipt:
    """Merge money in suspense into an order's receipt without a number: it was one payment.

    The order's receipt takes the number, and the posting of the other is reversed by opposite
    entries. If their amounts differ, the amount in suspense is right. Call inside a transaction
    that holds the order's lock. Raises AlreadyMatched if either has changed by now, or the money is
    being refunded.

    Returns the order's receipt.
    """
    # In the order of their ids: staff may be matching either right now.
    locked = {pk: locked_row(Receipt, pk) for pk in sorted((unnamed.pk, movement.pk))}
    unnamed, movement = locked[unnamed.pk], locked[movement.pk]
    if unnamed.number or unnamed.same_as_id or unnamed.order_id != order.pk:
        raise AlreadyMatched("The number of that receipt is known already.")
    is_movement = movement.number and movement.order_id is None and not movement.same_as_id
    if not is_movement or movement.provider != unnamed.provider:
        raise AlreadyMatched(f"{movement} is already matched to an order.")
    if movement.verification in DOUBTFUL:
        raise AlreadyMatched(f"{movement} is in doubt. Decide first whether it arrived.")
    if not drop_unsent_refunds(movement):
        raise AlreadyMatched(f"{movement} is already being refunded.")
    ledger.post_merge(movement)
    number, amount = movement.number, movement.amount
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
        correct_amount(unnamed, reported_amount=amount)
    refund_excess(order.pk)
    return unnamed


@transaction.atomic
def merge_if_sure(receipt_id: int) -> bool:
    """Merge money in suspense with the receipt without a number that it is, if that is certain.

    It is if no other prompt and no other money agree in amount, time and phone. Safe to repeat.
    Returns whether it was done.
    """
    receipt = Receipt.objects.get(pk=receipt_id)
    attempt = sure_attempt(movement_of(receipt))
    if attempt is None or not attempt.is_confirmed or len(movements_behind(attempt)) != 1:
        return False
    order = locked_row(Order, attempt.order_id)
    try:
        merge_receipts(attempt.receipt, receipt, order, note="")
    except AlreadyMatched:
        return False
    return True


class MayBeAnothers(ValueError):
    """The money may be a prompt's whose receipt has no number. Its text can be shown to staff."""


def check_decided(receipt: Receipt, *, except_order: int = 0) -> None:
    """Raise MayBeAnothers if it may be a prompt's of an order other than ``except_order``."""
    if receipt.is_not_from_prompt or receipt.provider != Provider.MPESA:
        return
    for attempt, _ in attempts_behind(movement_of(receipt)):
        if attempt.order_id != except_order and attempt.is_confirmed:
            raise MayBeAnothers(
                f"It may be the receipt of order {attempt.order.reference}, whose number is not "
                f"known yet. Decide first whether it is."
            )


def match(receipt: Receipt, order: Order) -> None:
    """Move money from suspense to an order. Call inside a transaction that locked both rows."""
    receipt.order, receipt.waiting = order, receipt.amount < order.amount
    receipt.save(update_fields=["order", "waiting", "note"])
    ledger.post_match(receipt)
