"""Sends a payout only as long as its earnings are still due, and follows it to its end.

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
from payments.daraja.result_codes import PayoutReason
from payments.evidence import EVIDENCE_DELAY, request_confirmation
from payments.models import (
    Payout,
    PayoutDay,
    Receipt,
    TransferStatus,
    Verification,
    Withdrawal,
)
from payments.transfers import TransferHandler, handles

from .allocation import create_payouts, orders_of
from .services import HELD_BACK, drop_due_payouts, lock_payout

logger = logging.getLogger(__name__)

#: The note of one that was dropped because a line it was for was cancelled or reduced since.
CHANGED = "One of its order items was cancelled or reduced in price."


@handles(Payout)
class PayoutHandler(TransferHandler[Payout]):
    """What only a payout does when it is sent and when it ends."""

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

    def hold_until(self, row: Payout, now: datetime) -> datetime | None:
        """Keep a payout back whose orders were paid by what nobody has confirmed; ask about that.

        What the shop bears a second person lets go: it may be what somebody made it bear. One that
        carries what is held back, cancelled or reduced by now is dropped, and what is left of its
        shares goes with another.
        """
        if why := _reason_to_drop(row):
            row.drop(why)
            enqueue_after_commit(create_payouts, row.seller_id)
            return None
        orders = orders_of(row)
        unsure = list(
            orders.filter(confirmed_or_written_off__lt=F("price_due")).values_list("pk", flat=True)
        )
        if unsure:
            unconfirmed = Receipt.objects.filter(
                order__in=unsure, verification=Verification.REPORTED
            )
            request_confirmation(unconfirmed)
            return now + EVIDENCE_DELAY
        if (
            row.approved_by_id is None
            and orders.filter(confirmed_amount__lt=F("price_due")).exists()
        ):
            row.needs_approval, row.next_check_at = True, None
            row.note = row.note or "The order's payment was lower than first recorded."
            row.save(update_fields=["needs_approval", "next_check_at", "note"])
        return None

    def on_done(self, row: Payout, *, was: str) -> None:
        """Post it, and let the seller know."""
        if was == TransferStatus.DROPPED:
            # They were to go to another number with the next, and nothing has taken them on yet.
            row.shares.update(phone=row.phone, phone_by=row.author_id)
        carries = row.shares.aggregate(total=Sum("carried"))["total"] or 0
        if carries != row.gross:
            # Another carries its shares by now. What was sent twice is kept back from the next.
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
            amount=row.amount,
            receipt=row.number,
        )

    def on_refused(self, row: Payout, reason: PayoutReason) -> None:
        """Try again later, where time may mend it; else at another number, or a person decides."""
        after = row.retry_after(reason)
        if after is not None:
            row.next_check_at = timezone.now() + after
            row.save(update_fields=["next_check_at"])
        row.shares.update(tries=F("tries") + 1)
        enqueue_after_commit(create_payouts, row.seller_id)


def _reason_to_drop(payout: Payout) -> str:
    """Why a payout is not to leave with the shares it carries; empty where nothing is against it.

    An undecided problem or a person holds one back. Or one was cancelled or reduced while M-Pesa
    might have had the payout, which it did not take after all: who did that could not drop it.
    """
    shares = list(payout.shares.all())
    for share in shares:
        if share.reversed_at is not None or share.carried != share.due:
            return CHANGED
    free = payout.shares.payable().values_list("pk", flat=True)
    return HELD_BACK if len(free) < len(shares) else ""


def _receiver_is_certain(payout: Payout, was: str) -> bool:
    """Whether the money went to this very number: not so where only a person says whose it was, and
    the statement shows a part of the number."""
    if was != TransferStatus.DUE:
        return True
    found = Withdrawal.objects.filter(payout=payout.pk).first()
    return found is None or found.phone == payout.phone
