"""Drops payouts that have not been sent, and retries those M-Pesa refused.

Locks: the seller, then the payout.
"""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from omachemainproj.background import enqueue_after_commit
from omachemainproj.locking import lock_row
from payments.models import Payout, TransferStatus

from .allocation import create_payouts

#: The note of a payout that was dropped because of a problem with one of its lines.
HELD_BACK = "A buyer has reported a problem with one of its order items."


def drop_due_payouts(seller_id: int, note: str) -> None:
    """Drop a seller's unsent payouts; they are created again, less what has been paid by now.

    Call inside a transaction that holds the seller's lock.
    """
    due = Payout.objects.filter(seller=seller_id, status=TransferStatus.DUE)
    due.drop(note)
    enqueue_after_commit(create_payouts, seller_id)


@transaction.atomic
def retry_payout(
    payout_id: int, *, phone: str = "", note: str = "", actor_id: int | None = None
) -> bool:
    """Retry a payout that M-Pesa refused: drop it, so that other payouts carry its shares.

    They go to ``phone``, if it is given; ``actor_id`` is the id of the staff member who typed it,
    and another one has to approve them. Returns False if the payout is not refused. Safe to repeat.
    """
    payout = lock_payout(payout_id)
    if payout.status != TransferStatus.REFUSED:
        return False
    if phone:
        payout.shares.update(phone=phone, phone_by=actor_id)
    payout.drop(note or "It is being retried.")
    enqueue_after_commit(create_payouts, payout.seller_id)
    return True


def drop_unsent_payout(payout_id: int, note: str) -> bool:
    """Drop a payout that is due and was not sent; ``create_payouts`` puts its shares into others.

    Returns False if it was sent, or may have been. Call inside a transaction.
    """
    # Filtered by its own row: found through its shares, PostgreSQL would not check its status again
    # after waiting for the transaction that sends it.
    unsent = Payout.objects.filter(pk=payout_id, status=TransferStatus.DUE)
    return bool(unsent.drop(note))


def lock_payout(payout_id: int) -> Payout:
    """Lock and return a payout, after its seller."""
    seller_id = Payout.objects.values_list("seller_id", flat=True).get(pk=payout_id)
    lock_row(User, seller_id)
    return lock_row(Payout, payout_id)
