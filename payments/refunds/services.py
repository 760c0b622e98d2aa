"""Refunds: what is due back to buyers, and what follows the end of each (payments.transfers).

Locks: the order first, then the refund.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from omachemainproj.locking import locked_row
from orders.fulfilment import mark_line_refunded
from orders.lifecycle import is_too_late, mark_order_refunded, mark_refund_due
from orders.models import Order, OrderTrack
from orders.models.notifications import NotificationKind
from orders.notifications.notify import notify
from payments import ledger
from payments.checkout.failures import why_it_goes_back
from payments.daraja.result_codes import PayoutReason, reversal_failure
from payments.evidence import EVIDENCE_DELAY, ask_about, put_in_doubt, stop_goods
from payments.models import (
    DOUBTFUL,
    MAX_TRIES,
    OrderBalance,
    Provider,
    Receipt,
    Refund,
    RefundDay,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Unnumbered,
    Verification,
    is_rest_confirmed,
    order_balance,
)
from payments.models.evidence import RECEIPT_QUERIES
from payments.models.same_payments import is_undecided
from payments.transfers import TransferHandler, handles

from .routes import Route, route_to_phone, why_no_route

logger = logging.getLogger(__name__)

#: Money goes another way only this long after M-Pesa refused the first: results have been seen to
#: come twice, and to contradict each other.
REROUTE_DELAY = timedelta(minutes=2)
NO_DELAY = timedelta(0)
#: M-Pesa was asked whether a payment still stands, and never answered.
NOT_ANSWERED = "local.not_answered"
#: Until it is seen again whether a receipt's number has come.
NUMBER_DELAY = timedelta(minutes=1)


@transaction.atomic
def refund_excess(order_id: int) -> None:
    """Refund what came for an order and cannot pay for it. Safe to repeat.

    Nothing, while the order is unpaid; what is above the price of what stands of it, once it is
    paid; all but delivery fees that were earned, once it is closed. Late money is offered to the
    order first: ``orders.lifecycle.mark_order_paid`` holds an expired order's goods again where it
    can. The clock sends each refund.
    """
    refund_excess_locked(locked_row(Order, order_id))


def refund_excess_locked(
    order: Order,
    *,
    returned: OrderTrack | None = None,
    given_back: RefundReason | None = None,
    of: OrderTrack | None = None,
    money: OrderBalance | None = None,
) -> None:
    """Do as ``refund_excess`` does, inside a transaction that holds the order's lock already.

    ``returned`` is the line that was cancelled a moment ago, whose money this is. ``given_back``
    is why else something of the order was given back a moment ago (``payments.models.given_back``),
    and ``of`` the line that was for, where it was for one. ``money`` is how the order's stands, for
    who knows.
    """
    if order.is_unpaid:
        return
    money = money or order_balance(order.pk)
    excess = money.credited - money.needed(order)
    if money.waiting:
        order.receipts.filter(waiting=True).update(waiting=False)
    if excess <= 0:
        return
    cause = given_back or (RefundReason.EXCESS if returned is None else RefundReason.RETURNED)
    if not order.is_paid:
        cause = given_back or _cause_of_closed(order, money.credited)
        mark_refund_due(order)
        if returned is None and given_back is None:
            _notify_it_goes_back(order, excess, cause)
    for receipt, amount in _allocate(order, excess):
        create_refund(receipt, amount, cause, of=returned or of)
        excess -= amount
    if excess:
        _reverse_write_off(order, excess)
        close_if_nothing_goes_back(order)


def _cause_of_closed(order: Order, credited: int) -> RefundReason:
    """Why all that came for a closed order goes back; ``credited`` is how much came, in KES."""
    if order.was_cancelled_by_buyer:
        return RefundReason.CANCELLED
    if credited < order.amount:
        return RefundReason.SHORT
    if OrderTrack.objects.repurchases_of(order).exists():
        return RefundReason.PAID_AGAIN
    if is_too_late(order, timezone.now()):
        return RefundReason.TOO_LATE
    if order.tracks.filter(product__listed=False).exists():
        return RefundReason.OFF_SALE
    return RefundReason.GOODS_GONE


def _notify_it_goes_back(order: Order, amount: int, cause: RefundReason) -> None:
    """Notify the buyer that money which came for a closed order goes back, and why."""
    # Money may come more than once: each time is told of.
    last = order.receipts.order_by("-pk").values_list("pk", flat=True).first()
    notify(
        NotificationKind.GOES_BACK,
        key=f"goes_back:receipt:{last}",
        order_id=order.pk,
        amount=amount,
        why=why_it_goes_back(cause),
    )


@transaction.atomic
def refund_unmatched(receipt_id: int, *, by: int | None = None) -> Refund:
    """Refund a receipt in suspense to its payer, as a person decided, whose id is ``by``.

    Raises NothingToRefund.
    """
    receipt = locked_row(Receipt, receipt_id)
    left = unrefunded(receipt)
    if is_undecided(receipt):
        raise NothingToRefund(
            "It may be what an order's prompt was paid with, and M-Pesa has not named that receipt "
            "yet. Say first whether it is, or wait for its number."
        )
    if receipt.order_id is not None or left <= 0:
        raise NothingToRefund(f"{receipt} has its order, or is on its way back.")
    if receipt.verification in DOUBTFUL:
        raise NothingToRefund(f"{receipt} is in doubt: decide first whether it came.")
    return create_refund(receipt, left, RefundReason.STAFF, by=by)


class NothingToRefund(ValueError):
    """Nothing of the receipt is left to refund, or it may pay an order. A plain sentence."""


def drop_unsent_refunds(receipt: Receipt) -> bool:
    """Drop what is to go back of money in suspense, as far as none of it was sent.

    Call inside a transaction that holds the receipt's lock. False, and nothing is dropped, where
    some of it may have gone.
    """
    Refund.objects.lock_all_of(receipt)
    refunds = list(receipt.refunds.order_by("pk"))
    going = [refund for refund in refunds if refund.status != TransferStatus.DROPPED]
    unsent = (TransferStatus.DUE, TransferStatus.REFUSED)
    if any(each.replaces_id or each.sent_at or each.status not in unsent for each in going):
        return False
    for refund in going:
        drop_refund(refund, "The money is an order's.")
    return True


def drop_refund(refund: Refund, why: str) -> None:
    """Owe no more what was not sent. Call inside a transaction that holds its lock."""
    refund.status, refund.next_check_at, refund.note = TransferStatus.DROPPED, None, why
    refund.save(update_fields=["status", "next_check_at", "note"])
    ledger.post_refund_dropped(refund)


def create_refund(
    receipt: Receipt,
    amount: int,
    cause: str,
    *,
    of: OrderTrack | None = None,
    by: int | None = None,
) -> Refund:
    """Create a refund of ``amount`` KES of a receipt, by a way that can serve, and post it as due.

    ``of`` is the line whose money it is, where it is one's. It leaves once the receipt is
    confirmed; M-Pesa is asked about one that is not. ``by`` is the id of the person who decided
    it, who cannot approve it too.

    Call inside a transaction that holds the lock of the receipt's order, or of the receipt.
    """
    # One that was dropped before it was sent cannot have reversed it.
    other = receipt.refunds.exclude(status=TransferStatus.DROPPED, sent_at__isnull=True)
    is_whole = amount == receipt.amount and not other.exists()
    # What came back was no payment, and M-Pesa reverses payments alone.
    if is_whole and receipt.provider == Provider.MPESA and not receipt.came_back:
        refund = _create(receipt, amount, cause, Route(RefundMethod.REVERSAL), of, by)
    else:
        refund = _create(receipt, amount, cause, route_to_phone(receipt, amount), of, by)
    ledger.post_refund_due(refund)
    if not receipt.is_confirmed:
        ask_about([receipt])
    return refund


def send_to_the_phone(receipt: Receipt) -> None:
    """Owe to a phone what was to be reversed of money that came back, as far as it was not sent: it
    was no payment, and M-Pesa reverses payments alone.

    Call inside a transaction that holds the locks of the receipt and of its order, if it has one.
    """
    Refund.objects.lock_all_of(receipt)
    unsent = receipt.refunds.owed().filter(way=RefundMethod.REVERSAL, status=TransferStatus.DUE)
    for refund in unsent.filter(sent_at__isnull=True).order_by("pk"):
        drop_refund(refund, "What the shop had sent came back, and goes to the phone.")
        create_refund(receipt, refund.amount, refund.cause, of=refund.track, by=refund.author_id)


def create_replacement(
    refund: Refund,
    *,
    way: str,
    phone: str = "",
    after: timedelta = NO_DELAY,
    stands_at: datetime | None = None,
    by: int | None = None,
) -> Refund:
    """Try to give the same money back once more, where M-Pesa refused: with an id of its own.

    ``stands_at`` is when a person found that the payment still stands, where M-Pesa does not say;
    ``by`` is the id of the person who typed ``phone``. What was approved stays so only where the
    same goes the same way.

    Call inside a transaction that holds the refund's lock.
    """
    same = way == refund.way and phone == refund.phone and by is None
    author = by or refund.author_id or _who_typed(refund.receipt, phone)
    is_large = way != RefundMethod.PORTAL and refund.amount > settings.REFUND_APPROVAL_ABOVE
    is_typed = bool(phone) and (by is not None or _who_typed(refund.receipt, phone) is not None)
    approved_by = refund.approved_by_id if same else None
    needs_approval = is_large or is_typed or (same and refund.needs_approval)
    waits = needs_approval and approved_by is None
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
        receipt_stands_at=stands_at,
        needs_approval=needs_approval,
        approved_by_id=approved_by,
        author_id=author,
        next_check_at=None if waits else timezone.now() + after,
    )


@handles(Refund)
class RefundHandler(TransferHandler[Refund]):
    """What only a refund does when it is sent and when it ends."""

    wrong_amount = "M-Pesa says KES {} went back, KES {} was owed."
    done = "The money is back."
    days = RefundDay

    @property
    def daily_limit(self) -> int:
        limit: int = settings.REFUND_DAILY_LIMIT
        return limit

    def is_backed(self, row: Refund) -> bool:
        """Whether its own payment is confirmed, and what stays for its order: else money that came
        would go back while one that nobody has confirmed pays for the goods."""
        is_rest_sure = row.order_id is None or is_rest_confirmed(row.order_id)
        return row.receipt.is_confirmed and is_rest_sure

    def lock(self, row_id: int) -> Refund:
        return locked_refund(row_id)

    def hold_until(self, row: Refund, now: datetime) -> datetime | None:
        """Keep a refund back while money of the same order is proven and has no receipt number.

        Until it has one, two receipts may be one, and nothing is given back. So is money without
        an order that may be such a receipt's, and a payment that is not confirmed, or that leaves
        its order with what is not.
        """
        if row.order_id is None:
            undecided = is_undecided(row.receipt)
        else:
            undecided = Receipt.objects.without_number().filter(order=row.order_id).exists()
        if undecided:
            return now + NUMBER_DELAY
        if self.is_backed(row):
            return None
        told = Receipt.objects.filter(order=row.order_id, verification=Verification.REPORTED)
        ask_about([row.receipt] if row.order_id is None else [row.receipt, *told])
        return now + EVIDENCE_DELAY

    def receipt_to_ask_about(self, row: Refund, now: datetime) -> str:
        """Ask before money goes another way than by reversal: the payment may be reversed."""
        if not row.must_ask(now):
            if row.only_asks:
                row.next_check_at = None
                row.save(update_fields=["next_check_at"])
            return ""
        if row.receipt_asked < len(RECEIPT_QUERIES):
            row.next_check_at = now + RECEIPT_QUERIES[row.receipt_asked]
            row.receipt_asked += 1
            row.save(update_fields=["next_check_at", "receipt_asked"])
            return row.receipt.number
        row.status, row.next_check_at = TransferStatus.REFUSED, None
        row.result_code = NOT_ANSWERED
        row.note = "M-Pesa does not say whether the payment still stands: its portal does."
        row.save(update_fields=["status", "next_check_at", "result_code", "note"])
        return ""

    def why_no_number(self, row: Refund) -> Unnumbered:
        if row.way == RefundMethod.OUTSIDE:
            return Unnumbered.OUTSIDE
        is_known = reversal_failure(row.result_code) == PayoutReason.ALREADY_REVERSED
        return Unnumbered.ALREADY_REVERSED if is_known and row.is_reversal else Unnumbered.NOT_TOLD

    def on_done(self, row: Refund, *, was: str) -> None:
        """Post it, end what followed it, and let its line, its order and its buyer know."""
        if was == TransferStatus.DROPPED and was_taken_back(row.receipt):
            _record_gone_after_all(row)
            return
        twice = was == TransferStatus.DROPPED or not _cancel_replacements(row)
        if was == TransferStatus.DROPPED:
            _link_to_replacement(row)
        if twice:
            row.note = "The money had gone back another way: it went back twice."
            row.unacknowledged = True
            logger.error("refund %s: %s", row.pk, row.note)
        row.save()
        ledger.post_refund_paid(row, twice=twice)
        _close_if_refunded(row)
        never_came = row.receipt.verification == Verification.NEVER_CAME
        if row.order_id is not None and not twice and not never_came:
            notify(
                NotificationKind.REFUNDED,
                key=f"refunded:refund:{row.pk}",
                order_id=row.order_id,
                amount=row.amount,
                receipt=row.number,
                **_why(row),
            )

    def on_refused(self, row: Refund, reason: PayoutReason) -> None:
        """Try again later, or another way; where neither can be, a person decides.

        Where M-Pesa knows no such payment there is nothing to give back, by any way; nor where it
        took the payment back itself meanwhile.
        """
        if was_taken_back(row.receipt):
            _drop_refused(row)
            return
        if reason == PayoutReason.NO_SUCH_PAYMENT:
            said = f"{row.result_code} {row.result_text}".strip()
            put_in_doubt(row.receipt_id, f"M-Pesa would not reverse it: {said}")
            return
        if unrefunded(row.receipt) < 0:
            # It was of more than has come, as the provider said while M-Pesa had it.
            _owe_what_came(row)
            return
        after = row.retry_after(reason)
        if after is not None:
            create_replacement(row, way=row.way, phone=row.phone, after=after)
        elif row.is_reversal and row.tries < MAX_TRIES:
            route = route_to_phone(row.receipt, row.amount)
            if route.way == RefundMethod.B2C:
                create_replacement(row, way=route.way, phone=route.phone, after=REROUTE_DELAY)


def _owe_what_came(refund: Refund) -> None:
    """Drop a refused refund of more than came of its receipt, and owe what did come."""
    drop_refund(refund, "It was of more than came: what did come is owed anew.")
    if refund.order_id is not None:
        order = Order.objects.get(pk=refund.order_id)
        refund_excess_locked(order, given_back=RefundReason(refund.cause), of=refund.track)
    elif (left := unrefunded(refund.receipt)) > 0:
        create_refund(refund.receipt, left, refund.cause, by=refund.author_id)


def was_taken_back(receipt: Receipt) -> bool:
    """Whether M-Pesa took a payment back by itself: all of it went, and nothing is owed back."""
    return receipt.refunds.filter(way=RefundMethod.OUTSIDE, status=TransferStatus.DONE).exists()


def _drop_refused(refund: Refund) -> None:
    """Drop what M-Pesa refused to send of a payment that it took back meanwhile.

    Both were borne by the shop as long as both might have gone.
    """
    refund.status = TransferStatus.DROPPED
    refund.note = "M-Pesa took the payment back by itself: nothing is owed back."
    refund.save(update_fields=["status", "note"])
    ledger.post_refund_dropped(refund)
    if refund.order is not None:
        _reverse_write_off(refund.order, refund.amount)
        _close_if_refunded(refund)


def _record_gone_after_all(refund: Refund) -> None:
    """Record that what was dropped, as M-Pesa took the payment back, went all the same: the shop
    bears it, or it is a debt in suspense."""
    refund.note = "M-Pesa had taken the payment back by itself: it went back twice."
    refund.unacknowledged = True
    logger.error("refund %s: %s", refund.pk, refund.note)
    refund.save()
    ledger.post_refund_due(refund, again=True)
    ledger.post_refund_paid(refund)
    if refund.order_id is not None:
        receipt = locked_row(Receipt, refund.receipt_id)
        ledger.post_loss(receipt, refund.amount)
        receipt.written_off += refund.amount
        receipt.save(update_fields=["written_off"])


def _why(refund: Refund) -> dict[str, Any]:
    """The reason that its buyer is told with a refund, by language, where there is one to tell."""
    if refund.cause != RefundReason.REDUCED:
        return {}
    return {"why": why_it_goes_back(refund.cause)}


def _who_typed(receipt: Receipt, phone: str) -> int | None:
    """The id of the person who typed a number that no provider has shown."""
    return receipt.phone_by_id if phone and phone == receipt.phone else None


def _create(
    receipt: Receipt,
    amount: int,
    cause: str,
    route: Route,
    of: OrderTrack | None,
    by: int | None,
) -> Refund:
    # What no way can serve is a person's from the start.
    status = TransferStatus.REFUSED if route.way == RefundMethod.PORTAL else TransferStatus.DUE
    # Before a person gives it back, M-Pesa is asked whether the payment still stands.
    is_portal_asked = (
        status == TransferStatus.REFUSED and receipt.provider == Provider.MPESA and receipt.number
    )
    typed_by = _who_typed(receipt, route.phone)
    is_large = amount > settings.REFUND_APPROVAL_ABOVE and route.way != RefundMethod.PORTAL
    needs_approval = is_large or typed_by is not None
    is_next = not needs_approval and status == TransferStatus.DUE
    return Refund.objects.create(
        receipt=receipt,
        order_id=receipt.order_id,
        track=of,
        amount=amount,
        cause=cause,
        way=route.way,
        phone=route.phone,
        status=status,
        note="" if status == TransferStatus.DUE else why_no_route(amount),
        needs_approval=needs_approval,
        author_id=by or typed_by,
        next_check_at=timezone.now() if is_next or is_portal_asked else None,
    )


def _allocate(order: Order, excess: int) -> Iterator[tuple[Receipt, int]]:
    """Which receipts an excess is taken from: whole ones first, the latest first.

    Whole, because M-Pesa reverses only whole payments; the latest, because it was the one too many.
    """
    left = {receipt: unrefunded(receipt) for receipt in order.receipts.order_by("-pk")}
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
    """Take back a write-off of an order, up to ``amount`` KES.

    Of goods that are refunded the buyer never paid that part; of a refund that did not leave, it
    did not go back twice.
    """
    for receipt in order.receipts.filter(written_off__gt=0).order_by("pk"):
        part = min(receipt.written_off, amount)
        if part:
            ledger.post_write_off_reversal(receipt, part)
            receipt.written_off, amount = receipt.written_off - part, amount - part
            receipt.save(update_fields=["written_off"])
            if receipt.verification == Verification.NEVER_CAME:
                stop_goods(receipt)


def unrefunded(receipt: Receipt) -> int:
    """KES of a receipt that were not refunded and are not due to be."""
    owed: int | None = receipt.refunds.owed().aggregate(total=Sum("amount"))["total"]
    return receipt.amount - (owed or 0)


def locked_refund(refund_id: int) -> Refund:
    """A refund, locked after its order, or after its receipt where that has none."""
    ids = Refund.objects.values_list("order_id", "receipt_id").get(pk=refund_id)
    order_id, receipt_id = ids
    if order_id is not None:
        locked_row(Order, order_id)
    else:
        locked_row(Receipt, receipt_id)
    return locked_row(Refund, refund_id)


def _cancel_replacements(refund: Refund) -> bool:
    """Cancel what replaced a refused refund that M-Pesa paid anyway; False when it is too late."""
    following = Refund.objects.filter(replaces=refund).first()
    last = following
    while last is not None and (after := Refund.objects.filter(replaces=last).first()):
        last = after
    if following is None or last is None:
        return True
    # Whoever sends it locks its own row alone.
    last = locked_row(Refund, last.pk)
    if last.status not in {TransferStatus.DUE, TransferStatus.REFUSED}:
        return False
    last.status, last.next_check_at = TransferStatus.DROPPED, None
    last.note = "The refund before it was done after all."
    last.save(update_fields=["status", "next_check_at", "note"])
    Refund.objects.filter(pk=following.pk).update(replaces=None)
    return True


def _link_to_replacement(refund: Refund) -> None:
    """Link a cancelled refund that M-Pesa paid anyway to the one that replaced it.

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


def close_if_nothing_goes_back(order: Order) -> None:
    """Mark an order as refunded that is due a refund and of which no money is to be sent: what was
    given back last, a delivery fee, say, the shop had borne."""
    if (
        not Refund.objects.owed()
        .filter(order=order.pk)
        .exclude(status=TransferStatus.DONE)
        .exists()
    ):
        mark_order_refunded(order)


def _close_if_refunded(refund: Refund) -> None:
    """Mark the line, and the order, as refunded once nothing of it is still to be refunded."""
    if refund.order_id is None:
        return
    going = Refund.objects.owed().exclude(status=TransferStatus.DONE)
    if refund.track_id and not going.filter(track=refund.track_id).exists():
        mark_line_refunded(refund.track_id)
    if not going.filter(order=refund.order_id).exists():
        mark_order_refunded(Order.objects.get(pk=refund.order_id))
