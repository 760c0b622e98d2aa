"""What is owed back, and how each try to give it back ends. What is asked of M-Pesa: sending.py.

Locks: the order first, then the refund.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from omachemainproj.phones import normalise_phone
from omachemainproj.statements import locked_row
from orders.models import Order
from orders.services import mark_order_refunded, owe_order_back

from . import ledger
from .daraja.payout_codes import PayoutReason
from .models import (
    Cause,
    PayoutStop,
    Provider,
    Receipt,
    Refund,
    RefundStatus,
    Way,
    money_of,
)

logger = logging.getLogger(__name__)

#: What M-Pesa pays out at a time, KES (Daraja portal, B2C).
LEAST_PAYOUT, MOST_PAYOUT = 10, 250_000
#: After so many refusals a person decides.
MOST_TRIES = 8
NOW = timedelta(0)
#: Money goes another way only this long after M-Pesa refused the first: results have been seen to
#: come twice, and to contradict each other.
SECOND_THOUGHTS = timedelta(minutes=2)
#: Refusals that may be over later, and how long the first wait is. It doubles from try to try.
WAITS = {
    # The stop keeps it back; a person ends that.
    PayoutReason.INITIATOR: NOW,
    PayoutReason.NO_FUNDS: timedelta(hours=1),
    PayoutReason.LIMIT: timedelta(hours=12),
}
LONGEST_WAIT = timedelta(hours=24)

_MASKED = re.compile(r"(254[17]?[0-9]*)\*+([0-9]{3,})")


@transaction.atomic
def owe_back(order_id: int) -> None:
    """Owe back what came for an order and cannot pay for it. Safe to repeat.

    Nothing, while it waits for its money; what is above its amount, once it is paid; all of it,
    once it is closed. The clock sends each refund.
    """
    owe_back_locked(locked_row(Order, order_id))


def owe_back_locked(order: Order) -> None:
    """Do as ``owe_back`` does, inside a transaction that holds the order's lock already."""
    if order.is_unpaid:
        return
    money = money_of(order.pk)
    credited = money.credited
    excess = credited - order.amount if order.is_paid else credited
    if money.waiting:
        order.receipts.filter(waiting=True).update(waiting=False)
    if excess <= 0:
        return
    cause = Cause.EXCESS
    if not order.is_paid:
        cause = Cause.GOODS_GONE if credited >= order.amount else Cause.SHORT
        owe_order_back(order)
    for receipt, amount in _share(order, excess):
        owe(receipt, amount, cause)


@transaction.atomic
def owe_to_payer(receipt_id: int) -> Refund:
    """Owe money in suspense back to whoever paid it, at a person's word. Raises NothingToOwe."""
    receipt = locked_row(Receipt, receipt_id)
    left = _left(receipt)
    if receipt.order_id is not None or left <= 0:
        raise NothingToOwe(f"{receipt} has its order, or is on its way back.")
    return owe(receipt, left, Cause.STAFF)


class NothingToOwe(ValueError):
    """Nothing of the money can be given back. Its text is a plain sentence."""


def owe(receipt: Receipt, amount: int, cause: str) -> Refund:
    """Owe ``amount`` KES of a receipt back, by the way that can serve; the ledger says so.

    Call inside a transaction that holds the lock of the receipt's order, or of the receipt.
    """
    is_whole = amount == receipt.amount and not receipt.refunds.exists()
    if is_whole and receipt.provider == Provider.MPESA:
        refund = _begin(receipt, amount, cause, _Route(Way.REVERSAL))
    else:
        refund = _begin(receipt, amount, cause, _by_phone(receipt, amount))
    ledger.post_owed_back(refund)
    return refund


@transaction.atomic
def finish(
    refund_id: int, *, number: str, amount: int | None = None, code: str = "0", text: str = ""
) -> str:
    """Write down that a refund has reached the buyer. Safe to repeat, whatever was thought before.

    ``amount`` is what M-Pesa says it gave back, None where it does not say. Returns a note.
    """
    refund = locked_refund(refund_id)
    if refund.status == RefundStatus.DONE:
        if number and not refund.number:
            refund.number = number
            refund.save(update_fields=["number"])
        return "Known already."
    if amount not in {None, refund.amount}:
        note = f"M-Pesa says KES {amount} went back, KES {refund.amount} was owed."
        logger.error("refund %s: %s", refund.pk, note)
        Refund.objects.filter(pk=refund.pk).update(note=note, unseen=True, next_check_at=None)
        return note
    twice = refund.status == RefundStatus.DROPPED or not _call_back_successors(refund)
    if refund.status == RefundStatus.DROPPED:
        _hang_behind_what_was_done(refund)
    refund.status, refund.done_at, refund.next_check_at = RefundStatus.DONE, timezone.now(), None
    refund.number, refund.result_code, refund.result_text = number, code, text[:200]
    if twice:
        refund.note = "The money had gone back another way: it went back twice."
        refund.unseen = True
        logger.error("refund %s: %s", refund.pk, refund.note)
    refund.save()
    ledger.post_given_back(refund, twice=twice)
    _finish_order(refund)
    return refund.note or "The money is back."


@transaction.atomic
def refuse(refund_id: int, *, code: str, text: str, reason: PayoutReason) -> str:
    """Write down that M-Pesa has definitely not given a refund back. Safe to repeat.

    What follows is another refund with an id of its own, or a person. Returns a note.
    """
    refund = locked_refund(refund_id)
    if not refund.is_under_way:
        return f"A refusal after the end: still {refund.status}."
    refund.status, refund.next_check_at = RefundStatus.REFUSED, None
    refund.result_code, refund.result_text = code, text[:200]
    refund.save()
    logger.warning("refund %s: M-Pesa refused it: %s %s", refund.pk, code, text)
    if reason == PayoutReason.INITIATOR:
        stop_payouts(f"M-Pesa does not accept the initiator: {code} {text}")
    _follow(refund, reason)
    return "M-Pesa refused it."


def stop_payouts(reason: str) -> None:
    """Let nothing leave the shop until a person says so. Safe to repeat."""
    made = PayoutStop.objects.bulk_create([PayoutStop(reason=reason[:200])], ignore_conflicts=True)
    logger.critical("payouts are stopped: %s", made[0].reason)


def are_payouts_stopped() -> bool:
    """Whether nothing may leave the shop until a person says so."""
    return PayoutStop.objects.filter(is_open=True).exists()


def succeed(refund: Refund, *, way: str, phone: str = "", after: timedelta = NOW) -> Refund:
    """Let another refund follow one that M-Pesa refused, with an id of its own.

    Call inside a transaction that holds the refund's lock.
    """
    return Refund.objects.create(
        receipt_id=refund.receipt_id,
        order_id=refund.order_id,
        amount=refund.amount,
        cause=refund.cause,
        way=way,
        phone=phone,
        replaces=refund,
        tries=refund.tries + 1,
        next_check_at=timezone.now() + after,
    )


def _follow(refund: Refund, reason: PayoutReason) -> None:
    """What becomes of a refund M-Pesa refused; where nothing is created, a person decides."""
    if refund.tries >= MOST_TRIES:
        return
    if reason in WAITS:
        after = min(WAITS[reason] * 2**refund.tries, LONGEST_WAIT)
        succeed(refund, way=refund.way, phone=refund.phone, after=after)
    elif refund.way == Way.REVERSAL:
        route = _by_phone(refund.receipt, refund.amount)
        if route.way == Way.B2C:
            succeed(refund, way=route.way, phone=route.phone, after=SECOND_THOUGHTS)


class _Route(NamedTuple):
    way: str
    phone: str = ""


def _begin(receipt: Receipt, amount: int, cause: str, route: _Route) -> Refund:
    # What no way can serve is a person's from the start.
    status = RefundStatus.REFUSED if route.way == Way.PORTAL else RefundStatus.DUE
    return Refund.objects.create(
        receipt=receipt,
        order_id=receipt.order_id,
        amount=amount,
        cause=cause,
        way=route.way,
        phone=route.phone,
        status=status,
        note="" if status == RefundStatus.DUE else _why_not_by_phone(amount),
        next_check_at=timezone.now() if status == RefundStatus.DUE else None,
    )


def _by_phone(receipt: Receipt, amount: int) -> _Route:
    phone = payer_phone(receipt)
    if phone and LEAST_PAYOUT <= amount <= MOST_PAYOUT:
        return _Route(Way.B2C, phone)
    return _Route(Way.PORTAL)


def _why_not_by_phone(amount: int) -> str:
    if amount < LEAST_PAYOUT:
        return f"M-Pesa pays out KES {LEAST_PAYOUT} or more, and reverses only whole payments."
    return "The payer's number is not known."


def payer_phone(receipt: Receipt) -> str:
    """The number that paid, 12 digits; empty where that is not certain.

    The prompt's own, or the one the provider shows. A masked one is taken for the order's own
    number where every digit it shows agrees.
    """
    if receipt.payment is not None and receipt.payment.phone:
        return receipt.payment.phone
    try:
        return normalise_phone(receipt.phone)
    except ValueError:
        pass
    shown = re.sub(r"[^0-9*]", "", receipt.phone)
    masked = _MASKED.fullmatch(shown)
    if masked and receipt.order is not None:
        number: str = receipt.order.mpesa_number
        if number.startswith(masked[1]) and number.endswith(masked[2]):
            return number
    return ""


def _share(order: Order, excess: int) -> Iterator[tuple[Receipt, int]]:
    """Which receipts an excess is taken from: whole ones first, the latest first.

    Whole, because M-Pesa reverses only whole payments; the latest, because it was the one too many.
    """
    left = {receipt: _left(receipt) for receipt in order.receipts.order_by("-pk")}
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


def _left(receipt: Receipt) -> int:
    """KES of a receipt that are not owed back."""
    owed: int | None = receipt.refunds.owed().aggregate(total=Sum("amount"))["total"]
    return receipt.amount - (owed or 0)


def locked_refund(refund_id: int) -> Refund:
    """A refund, locked after its order."""
    order_id = Refund.objects.values_list("order_id", flat=True).get(pk=refund_id)
    if order_id is not None:
        locked_row(Order, order_id)
    return locked_row(Refund, refund_id)


def _call_back_successors(refund: Refund) -> bool:
    """Drop what followed a refund that was refused and yet was done; False when it is too late."""
    following = Refund.objects.filter(replaces=refund).first()
    last = following
    while last is not None and (after := Refund.objects.filter(replaces=last).first()):
        last = after
    if following is None or last is None:
        return True
    if last.status not in {RefundStatus.DUE, RefundStatus.REFUSED}:
        return False
    last.status, last.next_check_at = RefundStatus.DROPPED, None
    last.note = "The refund before it was done after all."
    last.save(update_fields=["status", "next_check_at", "note"])
    Refund.objects.filter(pk=following.pk).update(replaces=None)
    return True


def _hang_behind_what_was_done(refund: Refund) -> None:
    """Join what was dropped, and was done all the same, to the refund it was dropped for.

    Both are one debt that was paid twice, not two debts.
    """
    head = refund
    while head.replaces is not None:
        head = head.replaces
    done = Refund.objects.filter(
        receipt=refund.receipt_id,
        amount=refund.amount,
        status=RefundStatus.DONE,
        replaced_by__isnull=True,
        tries=head.tries - 1,
    )
    head.replaces = done.first()
    head.save(update_fields=["replaces"])


def _finish_order(refund: Refund) -> None:
    if refund.order_id is None:
        return
    open_ones = Refund.objects.owed().filter(order=refund.order_id)
    if not open_ones.exclude(status=RefundStatus.DONE).exists():
        mark_order_refunded(Order.objects.get(pk=refund.order_id))
