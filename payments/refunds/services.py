"""What is owed back, and how each try to give it back ends. What is asked of M-Pesa: sending.py.

Locks: the order first, then the refund.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from omachemainproj.compiled_queries import locked_row
from orders.fulfilment import mark_line_refunded
from orders.lifecycle import mark_order_refunded, mark_refund_due
from orders.models import Order, OrderTrack
from orders.models.notifications import Kind
from orders.notifications.notify import notify
from payments import ledger
from payments.daraja.result_codes import PayoutReason
from payments.models import Cause, Provider, Receipt, Refund, TransferStatus, Way, order_balance
from payments.transfer_policy import MAX_TRIES, retry_after, stop_payouts

from .routes import Route, route_to_phone, why_no_route

logger = logging.getLogger(__name__)

#: Money goes another way only this long after M-Pesa refused the first: results have been seen to
#: come twice, and to contradict each other.
REROUTE_DELAY = timedelta(minutes=2)
NO_DELAY = timedelta(0)


@transaction.atomic
def refund_excess(order_id: int) -> None:
    """Owe back what came for an order and cannot pay for it. Safe to repeat.

    Nothing, while it waits for its money; what is above its amount, once it is paid; all of it,
    once it is closed. The clock sends each refund.
    """
    refund_excess_locked(locked_row(Order, order_id))


def refund_excess_locked(order: Order, *, returned: OrderTrack | None = None) -> None:
    """Do as ``refund_excess`` does, inside a transaction that holds the order's lock already.

    ``returned`` is the line that was cancelled a moment ago, whose money this is.
    """
    if order.is_unpaid:
        return
    money = order_balance(order.pk)
    credited = money.credited
    excess = credited - (order.amount - money.returned) if order.is_paid else credited
    if money.waiting:
        order.receipts.filter(waiting=True).update(waiting=False)
    if excess <= 0:
        return
    cause = Cause.EXCESS if returned is None else Cause.RETURNED
    if not order.is_paid:
        cause = Cause.GOODS_GONE if credited >= order.amount else Cause.SHORT
        mark_refund_due(order)
    for receipt, amount in _allocate(order, excess):
        create_refund(receipt, amount, cause, returned=returned)
        excess -= amount
    if excess:
        _reverse_write_off(order, excess)


@transaction.atomic
def refund_unmatched(receipt_id: int) -> Refund:
    """Owe money in suspense back to whoever paid it, at a person's word. Raises NothingToRefund."""
    receipt = locked_row(Receipt, receipt_id)
    left = _unrefunded(receipt)
    if receipt.order_id is not None or left <= 0:
        raise NothingToRefund(f"{receipt} has its order, or is on its way back.")
    return create_refund(receipt, left, Cause.STAFF)


class NothingToRefund(ValueError):
    """Nothing of the money can be given back. Its text is a plain sentence."""


def create_refund(
    receipt: Receipt, amount: int, cause: str, *, returned: OrderTrack | None = None
) -> Refund:
    """Owe ``amount`` KES of a receipt back, by the way that can serve; the ledger says so.

    Call inside a transaction that holds the lock of the receipt's order, or of the receipt.
    """
    is_whole = amount == receipt.amount and not receipt.refunds.exists()
    if is_whole and receipt.provider == Provider.MPESA:
        refund = _create(receipt, amount, cause, Route(Way.REVERSAL), returned)
    else:
        refund = _create(receipt, amount, cause, route_to_phone(receipt, amount), returned)
    ledger.post_refund_due(refund)
    return refund


@transaction.atomic
def mark_done(
    refund_id: int, *, number: str, amount: int | None = None, code: str = "0", text: str = ""
) -> str:
    """Write down that a refund has reached the buyer. Safe to repeat, whatever was thought before.

    ``amount`` is what M-Pesa says it gave back, None where it does not say. Returns a note.
    """
    refund = locked_refund(refund_id)
    if refund.status == TransferStatus.DONE:
        if number and not refund.number:
            refund.number = number
            refund.save(update_fields=["number"])
        return "Known already."
    if amount not in {None, refund.amount}:
        note = f"M-Pesa says KES {amount} went back, KES {refund.amount} was owed."
        logger.error("refund %s: %s", refund.pk, note)
        Refund.objects.filter(pk=refund.pk).update(note=note, unseen=True, next_check_at=None)
        return note
    twice = refund.status == TransferStatus.DROPPED or not _cancel_replacements(refund)
    if refund.status == TransferStatus.DROPPED:
        _link_to_replacement(refund)
    refund.status, refund.done_at, refund.next_check_at = TransferStatus.DONE, timezone.now(), None
    refund.number, refund.result_code, refund.result_text = number, code, text[:200]
    if twice:
        refund.note = "The money had gone back another way: it went back twice."
        refund.unseen = True
        logger.error("refund %s: %s", refund.pk, refund.note)
    refund.save()
    ledger.post_refund_paid(refund, twice=twice)
    _close_if_refunded(refund)
    if refund.order_id is not None and not twice:
        notify(
            Kind.REFUNDED,
            key=f"refunded:refund:{refund.pk}",
            order_id=refund.order_id,
            amount=refund.amount,
            receipt=refund.number,
        )
    return refund.note or "The money is back."


@transaction.atomic
def mark_refused(refund_id: int, *, code: str, text: str, reason: PayoutReason) -> str:
    """Write down that M-Pesa has definitely not given a refund back. Safe to repeat.

    What follows is another refund with an id of its own, or a person. Returns a note.
    """
    refund = locked_refund(refund_id)
    if not refund.is_under_way:
        return f"A refusal after the end: still {refund.status}."
    refund.status, refund.next_check_at = TransferStatus.REFUSED, None
    refund.result_code, refund.result_text = code, text[:200]
    refund.save()
    logger.warning("refund %s: M-Pesa refused it: %s %s", refund.pk, code, text)
    if reason == PayoutReason.INITIATOR:
        stop_payouts(f"M-Pesa does not accept the initiator: {code} {text}")
    _retry_or_reroute(refund, reason)
    return "M-Pesa refused it."


def create_replacement(
    refund: Refund, *, way: str, phone: str = "", after: timedelta = NO_DELAY
) -> Refund:
    """Let another refund follow one that M-Pesa refused, with an id of its own.

    Call inside a transaction that holds the refund's lock.
    """
    return Refund.objects.create(
        receipt_id=refund.receipt_id,
        order_id=refund.order_id,
        track_id=refund.track_id,
        amount=refund.amount,
        cause=refund.cause,
        way=way,
        phone=phone,
        replaces=refund,
        tries=refund.tries + 1,
        next_check_at=timezone.now() + after,
    )


def _retry_or_reroute(refund: Refund, reason: PayoutReason) -> None:
    """What becomes of a refund M-Pesa refused; where nothing is created, a person decides."""
    after = retry_after(reason, refund.tries)
    if after is not None:
        create_replacement(refund, way=refund.way, phone=refund.phone, after=after)
    elif refund.way == Way.REVERSAL and refund.tries < MAX_TRIES:
        route = route_to_phone(refund.receipt, refund.amount)
        if route.way == Way.B2C:
            create_replacement(refund, way=route.way, phone=route.phone, after=REROUTE_DELAY)


def _create(
    receipt: Receipt, amount: int, cause: str, route: Route, returned: OrderTrack | None
) -> Refund:
    # What no way can serve is a person's from the start.
    status = TransferStatus.REFUSED if route.way == Way.PORTAL else TransferStatus.DUE
    return Refund.objects.create(
        receipt=receipt,
        order_id=receipt.order_id,
        track=returned,
        amount=amount,
        cause=cause,
        way=route.way,
        phone=route.phone,
        status=status,
        note="" if status == TransferStatus.DUE else why_no_route(amount),
        next_check_at=timezone.now() if status == TransferStatus.DUE else None,
    )


def _allocate(order: Order, excess: int) -> Iterator[tuple[Receipt, int]]:
    """Which receipts an excess is taken from: whole ones first, the latest first.

    Whole, because M-Pesa reverses only whole payments; the latest, because it was the one too many.
    """
    left = {receipt: _unrefunded(receipt) for receipt in order.receipts.order_by("-pk")}
    for receipt in list(left):
        if 0 < left[receipt] == receipt.amount <= excess:
            excess -= receipt.amount
            left[receipt] = 0
            yield receipt, receipt.amount
    for receipt, amount in left.items():
        if excess > 0 and amount > 0:
            part = min(excess, amount)
            excess -= part
            yield receipt, part


def _reverse_write_off(order: Order, amount: int) -> None:
    """Take back what the shop bore for goods that were paid back: the buyer never paid it."""
    for receipt in order.receipts.filter(borne__gt=0).order_by("pk"):
        part = min(receipt.borne, amount)
        if part:
            ledger.post_write_off_reversal(receipt, part)
            receipt.borne, amount = receipt.borne - part, amount - part
            receipt.save(update_fields=["borne"])


def _unrefunded(receipt: Receipt) -> int:
    """KES of a receipt that are not owed back."""
    owed: int | None = receipt.refunds.owed().aggregate(total=Sum("amount"))["total"]
    return receipt.amount - (owed or 0)


def locked_refund(refund_id: int) -> Refund:
    """A refund, locked after its order."""
    order_id = Refund.objects.values_list("order_id", flat=True).get(pk=refund_id)
    if order_id is not None:
        locked_row(Order, order_id)
    return locked_row(Refund, refund_id)


def _cancel_replacements(refund: Refund) -> bool:
    """Drop what followed a refund that was refused and yet was done; False when it is too late."""
    following = Refund.objects.filter(replaces=refund).first()
    last = following
    while last is not None and (after := Refund.objects.filter(replaces=last).first()):
        last = after
    if following is None or last is None:
        return True
    if last.status not in {TransferStatus.DUE, TransferStatus.REFUSED}:
        return False
    last.status, last.next_check_at = TransferStatus.DROPPED, None
    last.note = "The refund before it was done after all."
    last.save(update_fields=["status", "next_check_at", "note"])
    Refund.objects.filter(pk=following.pk).update(replaces=None)
    return True


def _link_to_replacement(refund: Refund) -> None:
    """Join what was dropped, and was done all the same, to the refund it was dropped for.

    Both are one debt that was paid twice, not two debts.
    """
    head = refund
    while head.replaces is not None:
        head = head.replaces
    done = Refund.objects.filter(
        receipt=refund.receipt_id,
        amount=refund.amount,
        status=TransferStatus.DONE,
        replaced_by__isnull=True,
        tries=head.tries - 1,
    )
    head.replaces = done.first()
    head.save(update_fields=["replaces"])


def _close_if_refunded(refund: Refund) -> None:
    """Tell the line, and the order, once nothing that is owed back for it is still to go."""
    if refund.order_id is None:
        return
    going = Refund.objects.owed().exclude(status=TransferStatus.DONE)
    if refund.track_id and not going.filter(track=refund.track_id).exists():
        mark_line_refunded(refund.track_id)
    if not going.filter(order=refund.order_id).exists():
        mark_order_refunded(Order.objects.get(pk=refund.order_id))
