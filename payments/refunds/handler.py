"""Handles refunds when they are sent and when they end.

Locks: the order first, then the refund.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from omachemainproj.locking import lock_row
from orders.fulfilment import mark_line_refunded
from orders.models import Order
from orders.models.notifications import NotificationKind
from orders.notifications.notify import notify
from payments import ledger
from payments.checkout.failures import refund_explanation
from payments.daraja.result_codes import TransferFailure, reversal_failure
from payments.doubt import put_in_doubt
from payments.evidence import EVIDENCE_DELAY, request_confirmation
from payments.models import (
    MAX_TRIES,
    Receipt,
    Refund,
    RefundDay,
    RefundMethod,
    RefundReason,
    TransferStatus,
    Unnumbered,
    Verification,
    is_rest_confirmed,
)
from payments.models.evidence import RECEIPT_QUERIES
from payments.models.transfers import UNDER_WAY
from payments.payment_matching import is_undecided
from payments.transfers import READY, Readiness, TransferHandler, handles

from .corrections import (
    drop_refunds_to_cover,
    recreate_refunds,
    shortfall_of,
    write_off_shortfall,
)
from .replacements import (
    MADE_BEFORE,
    cancel_replacements,
    create_replacement,
    link_to_replacement,
    separate_from_made,
)
from .routes import route_to_phone
from .services import (
    create_refund,
    drop_refund,
    mark_refunded_if_none_outstanding,
    refund_excess_locked,
    reverse_write_off,
    unrefunded,
)

logger = logging.getLogger(__name__)

#: Delay after a refusal before the money is sent another way: M-Pesa has been seen to send two
#: results that contradict each other.
REROUTE_DELAY = timedelta(minutes=2)
NO_DELAY = timedelta(0)
#: M-Pesa was queried whether a payment still stands, and never answered.
NOT_ANSWERED = "local.not_answered"
#: Delay until a missing receipt number is checked for again.
NUMBER_DELAY = timedelta(minutes=1)
MADE_TWICE = "The money was refunded twice: it had already gone back another way."
MADE_THOUGH_DROPPED = "M-Pesa made it after it was dropped. Less is refunded another way for that."


@handles(Refund)
class RefundHandler(TransferHandler[Refund]):
    """The steps of a transfer that are specific to refunds."""

    wrong_amount = "M-Pesa says {} was refunded, {} was due."
    done = "The money was refunded."
    days = RefundDay

    @property
    def daily_limit(self) -> int:
        limit: int = settings.REFUND_DAILY_LIMIT
        return limit

    def is_covered(self, row: Refund) -> bool:
        """Whether its own payment is confirmed, and so is the rest of its order's money: otherwise
        real money would be refunded while an unconfirmed payment covers the goods."""
        is_rest_sure = row.order_id is None or is_rest_confirmed(row.order_id)
        return row.receipt.is_confirmed and is_rest_sure

    def lock(self, row_id: int) -> Refund:
        return lock_refund(row_id)

    def check_readiness(self, row: Refund, now: datetime) -> Readiness:
        """Postpone a refund while a receipt of its order has no number yet, or its payment or the
        rest of its order's money is unconfirmed.

        Until the number is known, two receipts may be one payment. The same goes for money without
        an order that may be such a receipt's payment.
        """
        if row.order_id is None:
            undecided = is_undecided(row.receipt)
        else:
            undecided = Receipt.objects.without_number().filter(order=row.order_id).exists()
        if undecided:
            return Readiness.postponed_until(now + NUMBER_DELAY)
        if self.is_covered(row):
            return READY
        reported = Receipt.objects.filter(order=row.order_id, verification=Verification.REPORTED)
        request_confirmation([row.receipt] if row.order_id is None else [row.receipt, *reported])
        return Readiness.postponed_until(now + EVIDENCE_DELAY)

    def receipt_to_query(self, row: Refund, now: datetime) -> str:
        """Query the payment before its money leaves other than by reversal: M-Pesa may have
        reversed it."""
        if not row.must_query_payment(now):
            if row.only_queries_payment:
                row.next_check_at = None
                row.save(update_fields=["next_check_at"])
            return ""
        if row.receipt_queries < len(RECEIPT_QUERIES):
            row.next_check_at = now + RECEIPT_QUERIES[row.receipt_queries]
            row.receipt_queries += 1
            row.save(update_fields=["next_check_at", "receipt_queries"])
            return row.receipt.number
        row.status, row.next_check_at = TransferStatus.REFUSED, None
        row.result_code = NOT_ANSWERED
        row.note = "M-Pesa did not confirm whether the payment still stands. Check its portal."
        row.save(update_fields=["status", "next_check_at", "result_code", "note"])
        return ""

    def reason_without_number(self, row: Refund) -> Unnumbered:
        if row.way == RefundMethod.OUTSIDE:
            return Unnumbered.OUTSIDE
        is_known = reversal_failure(row.result_code) == TransferFailure.ALREADY_REVERSED
        return Unnumbered.ALREADY_REVERSED if is_known and row.is_reversal else Unnumbered.NOT_TOLD

    def on_done(self, row: Refund, *, was: str) -> None:
        """Post it, drop its replacements, update its line and order, and notify the buyer."""
        if was == TransferStatus.DROPPED:
            twice = not was_reversed_by_mpesa(row.receipt) and link_to_replacement(row)
            is_owed = twice
        else:
            last = cancel_replacements(row)
            twice = last in UNDER_WAY or last == TransferStatus.DONE
            is_owed = last != TransferStatus.DROPPED
        if is_owed:
            _record(row, twice=twice)
        else:
            twice = _record_dropped_refund(row)
        _close_if_refunded(row)
        if not twice:
            _notify_buyer(row)

    def on_not_received(self, row: Refund) -> None:
        """Drop it if an earlier refund of its chain was made after all, if M-Pesa reversed the
        payment meanwhile, or if it is for more than arrived."""
        if _drop_if_made_before(row):
            return
        if was_reversed_by_mpesa(row.receipt):
            _drop_refused(row)
        elif unrefunded(row.receipt) < 0:
            _refund_received_amount(row)

    def on_refused(self, row: Refund, reason: TransferFailure) -> None:
        """Retry later or another way; if neither is possible, staff decide.

        Not if M-Pesa knows no such payment, as there is nothing to refund then, nor if it has
        reversed the payment itself in the meantime, or made an earlier refund of its chain after
        all.
        """
        if _drop_if_made_before(row):
            return
        if was_reversed_by_mpesa(row.receipt):
            _drop_refused(row)
            return
        if reason == TransferFailure.NO_SUCH_PAYMENT:
            reported = f"{row.result_code} {row.result_text}".strip()
            put_in_doubt(row.receipt_id, f"M-Pesa refused to reverse it: {reported}")
            return
        if unrefunded(row.receipt) < 0:
            # It was for more than arrived, as the provider reported while M-Pesa had it.
            _refund_received_amount(row)
            return
        after = row.retry_after(reason)
        if after is not None:
            create_replacement(row, way=row.way, phone=row.phone, after=after)
        elif row.is_reversal and row.tries < MAX_TRIES:
            route = route_to_phone(row.receipt, row.amount)
            if route.way == RefundMethod.B2C:
                create_replacement(row, way=route.way, phone=route.phone, after=REROUTE_DELAY)


def _refund_received_amount(refund: Refund) -> None:
    """Drop a refund of more than its receipt's amount that was not made; owe what did arrive."""
    drop_refund(refund, "It was for more than arrived; what did arrive is owed again.")
    if refund.order_id is not None:
        order = Order.objects.get(pk=refund.order_id)
        refund_excess_locked(order, reason=RefundReason(refund.cause), line=refund.track)
    elif (left := unrefunded(refund.receipt)) > 0:
        create_refund(refund.receipt, left, refund.cause, actor_id=refund.author_id)


def was_reversed_by_mpesa(receipt: Receipt) -> bool:
    """Whether M-Pesa reversed a whole payment itself, so that no refund of it is due."""
    return receipt.refunds.taken_back().exists()


def _drop_refused(refund: Refund) -> None:
    """Drop a refund that was not made, of a payment that M-Pesa has reversed itself meanwhile.

    Both were written off as long as both might have been made.
    """
    refund.drop("M-Pesa reversed the payment itself: no refund is due.")
    ledger.post_refund_dropped(refund)
    if refund.order is not None:
        reverse_write_off(refund.order, refund.amount)
        _close_if_refunded(refund)


def _drop_if_made_before(refund: Refund) -> bool:
    """Drop a refund that was not made, if M-Pesa made an earlier one of its chain while this one
    was under way. Returns whether it did.

    That one is the refund then, and the money did not go back twice.
    """
    made = separate_from_made(refund)
    if made is None:
        return False
    refund.drop(MADE_BEFORE)
    made.note, made.unacknowledged = "", False
    made.save(update_fields=["note", "unacknowledged"])
    ledger.post_refunded_once(made)
    _close_if_refunded(made)
    _notify_buyer(made)
    return True


def _notify_buyer(refund: Refund) -> None:
    """Notify the buyer that their money went back; nobody for a payment without an order, or that
    never arrived."""
    never_came = refund.receipt.verification == Verification.NEVER_CAME
    if refund.order_id is not None and not never_came:
        notify(
            NotificationKind.REFUNDED,
            key=f"refunded:refund:{refund.pk}",
            order_id=refund.order_id,
            amount=refund.amount,
            receipt=refund.number,
            **_reason_by_language(refund),
        )


def _record(refund: Refund, *, twice: bool) -> None:
    """Save and post a refund that was made, ``twice`` if the same was made another way before."""
    if twice:
        refund.note, refund.unacknowledged = MADE_TWICE, True
        logger.error("refund %s: %s", refund.pk, refund.note)
    refund.save()
    ledger.post_refund_paid(refund, twice=twice)


def _record_dropped_refund(refund: Refund) -> bool:
    """Record that a refund was made although nothing was due by it any more: M-Pesa had reversed
    the payment, or less had arrived. Returns whether money went back twice.

    What is still to be refunded of the payment, and was not sent, is reduced by it. What then went
    back twice is written off, or is a debt in suspense.
    """
    receipt = lock_row(Receipt, refund.receipt_id)
    order = None if refund.order_id is None else Order.objects.get(pk=refund.order_id)
    refund.save()
    ledger.post_refund_due(refund, again=True)
    ledger.post_refund_paid(refund)
    Refund.objects.lock_all_of(receipt)
    missing = -unrefunded(receipt) if order is None else shortfall_of(order)
    twice, dropped = drop_refunds_to_cover(
        receipt, order, missing=missing, corrected_amount=receipt.amount, why=MADE_THOUGH_DROPPED
    )
    if order is not None:
        write_off_shortfall(receipt, order)
    recreate_refunds(receipt, order, dropped)
    refund.note = MADE_TWICE if twice else MADE_THOUGH_DROPPED
    if was_reversed_by_mpesa(receipt):
        refund.note = "The money was refunded twice: M-Pesa had reversed the payment itself."
    refund.unacknowledged = True
    refund.save(update_fields=["note", "unacknowledged"])
    logger.error("refund %s: %s", refund.pk, refund.note)
    return twice > 0


def _reason_by_language(refund: Refund) -> dict[str, Any]:
    """The reason shown to the buyer with a refund, by language; empty if there is none to show."""
    if refund.cause != RefundReason.REDUCED:
        return {}
    return {"why": refund_explanation(refund.cause)}


def _close_if_refunded(refund: Refund) -> None:
    """Mark the line and the order as refunded, each if it has no outstanding refund left."""
    if refund.order_id is None:
        return
    going = Refund.objects.outstanding()
    if refund.track_id and not going.filter(track=refund.track_id).exists():
        mark_line_refunded(refund.track_id)
    mark_refunded_if_none_outstanding(Order.objects.get(pk=refund.order_id))


def lock_refund(refund_id: int) -> Refund:
    """Lock and return a refund, after its order, or after its receipt if it has no order."""
    ids = Refund.objects.values_list("order_id", "receipt_id").get(pk=refund_id)
    order_id, receipt_id = ids
    if order_id is not None:
        lock_row(Order, order_id)
    else:
        lock_row(Receipt, receipt_id)
    return lock_row(Refund, refund_id)
