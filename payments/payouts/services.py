"""Drops payouts that have not been sent, and retries those M-Pesa refused.

Locks: the seller, then the payout.
"""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from omachemainproj.background import enqueue_after_commit
from omachemainproj.compiled_queries import locked_row
from payments.models import Payout, TransferStatus

from .allocation import create_payouts

#: The note of a payout that was dropped because of a problem with a line it was for.
HELD_BACK = "A buyer has reported a problem with one of its order items."


def drop_due_payouts(seller_id: int, note: str) -> None:
    """Drop a seller's unsent payouts; they are created again, less what was paid by now.

    Call inside a transaction that holds the seller's lock.
    """
    due = Payout.objects.filter(seller=seller_id, status=TransferStatus.DUE)
    due.drop(note)
    enqueue_after_commit(create_payouts, seller_id)


@transaction.atomic
def retry_payout(
    payout_id: int, *, phone: str = "", note: str = "", actor_id: int | None = None
) -> bool:
    """Let other payouts carry what M-Pesa refused to send: to ``phone``, where one is given.

    ``actor_id`` is the id of the staff member who typed that number: another has to approve it.

    Returns False when it is not, or no more, a refused one. Safe to repeat.
    """
    payout = lock_payout(payout_id)
    if payout.status != TransferStatus.REFUSED:
        return False
    if phone:
        payout.shares.update(phone=phone, phone_by=actor_id)
    payout.drop(note or "It is being retried.")
    enqueue_after_commit(create_payouts, payout.seller_id)
    return True


def drop_unsent(payout_id: int, note: str) -> bool:
    """Drop a payout that is due and was not sent; ``create_payouts`` puts its shares into others.

    Returns False where it has left, or may have. Call inside a transaction.
    """
    # By its own row: were it found through its shares, PostgreSQL would not look at its status
    # again after waiting for whoever was sending it.
    unsent = Payout.objects.filter(pk=payout_id, status=TransferStatus.DUE)
    return bool(unsent.drop(note))


def lock_payout(payout_id: int) -> Payout:
    """A payout, locked after its seller."""
    seller_id = Payout.objects.values_list("seller_id", flat=True).get(pk=payout_id)
    locked_row(User, seller_id)
    return locked_row(Payout, payout_id)
