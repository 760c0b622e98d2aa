"""Handles payouts when they are sent and when they end.

Locks: the seller, then the payout.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db.models import F, Sum
from django.utils import timezone

from accounts.contacts import record_paid_to
from omachemainproj.background import enqueue_after_commit
from orders.models.notifications import NotificationKind
from orders.notifications.notify import notify
from payments import ledger
from payments.daraja.result_codes import TransferFailure
from payments.evidence import EVIDENCE_DELAY, request_confirmation
from payments.models import Payout, PayoutDay, Receipt, TransferStatus, Verification, Withdrawal
from payments.transfers import NOT_TO_BE_SENT, READY, Readiness, TransferHandler, handles

from .allocation import create_payouts, orders_of
from .services import HELD_BACK, drop_due_payouts, lock_payout

logger = logging.getLogger(__name__)

#: The note of a payout that was dropped because one of its lines was cancelled or reduced.
CHANGED = "One of its order items was cancelled or reduced in price."
#: Reasons of a refusal that have nothing to do with its number: the shop's own.
OURS_TO_FIX = frozenset(
    {TransferFailure.NO_FUNDS, TransferFailure.INITIATOR, TransferFailure.MISCONFIGURED}
)
#: The note of a payout that M-Pesa made although it had answered that it does not know it.
SENT_BEFORE = "M-Pesa had sent it before it waited for approval."


@handles(Payout)
class PayoutHandler(TransferHandler[Payout]):
    """The steps of a transfer that are specific to payouts."""

    wrong_amount = "M-Pesa says {} was sent, {} was due."
    done = "The seller has the money."
    days = PayoutDay

    @property
    def daily_limit(self) -> int:
        limit: int = settings.PAYOUT_DAILY_LIMIT
        return limit

    def is_covered(self, row: Payout) -> bool:
        return not orders_of(row).exclude(confirmed_or_written_off__gte=F("price_due")).exists()

    def lock(self, row_id: int) -> Payout:
        return lock_payout(row_id)

    def check_readiness(self, row: Payout, now: datetime) -> Readiness:
        """Postpone a payout whose orders have an unconfirmed payment, and query that payment.

        If part of the price is written off, a second person has to approve it: someone may have
        caused the write-off on purpose. A payout with shares that are held back, cancelled or
        reduced by now is dropped, and its other shares go with another payout.
        """
        if why := _reason_to_drop(row):
            row.drop(why)
            enqueue_after_commit(create_payouts, row.seller_id)
            return NOT_TO_BE_SENT
        orders = orders_of(row)
        unsure = list(
            orders.filter(confirmed_or_written_off__lt=F("price_due")).values_list("pk", flat=True)
        )
        if unsure:
            unconfirmed = Receipt.objects.filter(
                order__in=unsure, verification=Verification.REPORTED
            )
            request_confirmation(unconfirmed)
            return Readiness.postponed_until(now + EVIDENCE_DELAY)
        if (
            row.approved_by_id is None
            and orders.filter(confirmed_amount__lt=F("price_due")).exists()
        ):
            row.needs_approval, row.next_check_at = True, None
            row.note = row.note or "The order's payment was lower than first recorded."
            row.save(update_fields=["needs_approval", "next_check_at", "note"])
            return NOT_TO_BE_SENT
        return READY

    def on_done(self, row: Payout, *, was: str) -> None:
        """Post it and notify the seller."""
        if row.is_unapproved and row.sent_at is not None:
            # Only its goods' payment, lost since it was sent, needed the approval.
            row.needs_approval, row.on_hold_since, row.on_hold_reason = False, None, ""
            row.note, row.unacknowledged = SENT_BEFORE, True
            logger.error("payout %s: %s", row.pk, row.note)
        if was == TransferStatus.DROPPED:
            # They were to go to another number with the next payout, and nothing has taken them
            # over yet.
            row.shares.update(phone=row.phone, phone_by=row.author_id)
        carries = row.shares.aggregate(total=Sum("carried"))["total"] or 0
        if carries != row.gross:
            # Another payout carries its shares by now. What was sent twice is deducted from the
            # next.
            row.gross, row.unacknowledged = carries, True
            row.note = (
                "This payout was believed to have failed; the same money may have been sent twice."
            )
            logger.error("payout %s: %s", row.pk, row.note)
            drop_due_payouts(row.seller_id, "An earlier payout was sent after all.")
        row.save()
        ledger.post_payout(row)
        if _receiver_is_certain(row, was):
            record_paid_to(row.seller_id, row.phone, timezone.now())
        notify(
            NotificationKind.PAID_OUT,
            key=f"paid_out:{row.pk}",
            user_id=row.seller_id,
            phone=row.phone,
            amount=row.amount_sent,
            receipt=row.number,
        )

    def on_refused(self, row: Payout, reason: TransferFailure) -> None:
        """Retry after a temporary reason; else another number is needed, of which its seller is
        notified, or staff decide."""
        after = row.retry_after(reason)
        if after is not None:
            row.next_check_at = timezone.now() + after
            row.save(update_fields=["next_check_at"])
        elif reason not in OURS_TO_FIX:
            notify(
                NotificationKind.PAYOUT_FAILED,
                key=f"payout_failed:{row.pk}",
                user_id=row.seller_id,
                phone=row.phone,
                amount=row.amount,
            )
        row.shares.update(tries=F("tries") + 1)
        enqueue_after_commit(create_payouts, row.seller_id)


def _reason_to_drop(payout: Payout) -> str:
    """Why a payout must not leave with the shares it carries; "" if it may.

    An undecided problem or staff hold a share back. Or a share was cancelled or reduced while
    M-Pesa might have received the payout, so that it could not be dropped then.
    """
    shares = list(payout.shares.all())
    for share in shares:
        if share.reversed_at is not None or share.carried != share.due:
            return CHANGED
    free = payout.shares.payable().values_list("pk", flat=True)
    return HELD_BACK if len(free) < len(shares) else ""


def _receiver_is_certain(payout: Payout, was: str) -> bool:
    """Whether the money certainly went to this number.

    Not if staff identified a withdrawal as this payout and the statement shows part of the number
    only.
    """
    if was != TransferStatus.DUE:
        return True
    withdrawal = Withdrawal.objects.filter(payout=payout.pk).first()
    return withdrawal is None or withdrawal.phone == payout.phone
