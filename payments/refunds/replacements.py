"""Chains of refunds: each row replaces one that M-Pesa refused, and the last one is what is due.

Call inside a transaction that holds the lock of the refund's order, or of its receipt without one,
and the refund's own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from omachemainproj.locking import lock_row
from payments.models import Refund, TransferStatus
from payments.models.refunds import UNSENT

from .services import needs_approval, who_typed

NO_DELAY = timedelta(0)
#: The result of a refund that was not made, because an earlier one of its chain was.
MADE_BEFORE = "The earlier refund was completed after all."


def create_replacement(
    refund: Refund,
    *,
    way: str,
    phone: str = "",
    after: timedelta = NO_DELAY,
    checked_at: datetime | None = None,
    actor_id: int | None = None,
) -> Refund:
    """Create another attempt of a refund that M-Pesa refused, with an id of its own.

    ``checked_at`` is when staff found that the payment still stands, if M-Pesa did not answer.
    ``actor_id`` is the id of the person who typed ``phone``. An approval is kept only if the same
    money goes the same way.
    """
    same = way == refund.way and phone == refund.phone and actor_id is None
    typed_by = who_typed(refund.receipt, phone)
    author = actor_id or refund.author_id or typed_by
    approved_by = refund.approved_by_id if same else None
    is_needed = needs_approval(way, refund.amount, (actor_id if phone else None) or typed_by)
    # What needed it for another reason still does: the day's limit, for example.
    is_needed = is_needed or (same and refund.needs_approval)
    waits = is_needed and approved_by is None
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
        receipt_checked_at=checked_at,
        needs_approval=is_needed,
        approved_by_id=approved_by,
        author_id=author,
        next_check_at=None if waits else timezone.now() + after,
    )


def cancel_replacements(refund: Refund) -> str | None:
    """Drop the replacement of a refund that M-Pesa made after all, if it was not sent.

    Returns the status its last replacement had, or None if there is none.
    """
    following = Refund.objects.filter(replaces=refund).first()
    last = following
    while last is not None and (after := Refund.objects.filter(replaces=last).first()):
        last = after
    if following is None or last is None:
        return None
    # Whoever sends it locks its own row alone.
    last = lock_row(Refund, last.pk)
    was = last.status
    if was in UNSENT:
        last.drop(MADE_BEFORE)
    if last.status == TransferStatus.DROPPED:
        Refund.objects.filter(pk=following.pk).update(replaces=None)
    return was


def link_to_replacement(refund: Refund) -> bool:
    """Link a dropped refund that M-Pesa made after all to the one that was made instead, if there
    is one; returns whether there is.

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
    if head.replaces is None:
        return False
    head.save(update_fields=["replaces"])
    return True


def separate_from_made(refund: Refund) -> Refund | None:
    """Return the earlier refund of a chain that M-Pesa made after all, or None; from then on it is
    the last one of its chain, and ``refund`` of another.
    """
    following = refund
    while (made := following.replaces) is not None and made.status != TransferStatus.DONE:
        following = made
    if made is not None:
        Refund.objects.filter(pk=following.pk).update(replaces=None)
    return made


def find_refused_before(refund: Refund) -> Refund | None:
    """Return the refund that this one replaced, if staff may have made it by hand since M-Pesa
    refused it: not a reversal.
    """
    before = refund.replaces
    if before is None or before.status != TransferStatus.REFUSED or before.is_reversal:
        return None
    return before
