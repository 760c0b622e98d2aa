"""What a person may decide about money that is to go to a seller (the console).

As in decisions.py: one transaction each, ActionNotAvailable where it no longer applies.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from omachemainproj.compiled_queries import locked_row
from omachemainproj.phones import normalise_phone
from orders.models import TrackEvent, TrackStatus
from payments.daraja.result_codes import PayoutReason
from payments.models import Payout, TransferStatus
from payments.payouts.services import finish_payout, locked_payout, refuse_payout, retry_payout

from .resolve_money_in import STAFF_SAYS_UNPAID, ActionNotAvailable, new_number


@transaction.atomic
def approve_payout(payout_id: int, *, by: User) -> Payout:
    """Let a large payout leave: a second person has looked at it.

    Not whom it goes to, and not who fetched its goods: two people have to agree.
    """
    payout = locked_row(Payout, payout_id)
    if not Payout.objects.to_approve().filter(pk=payout_id).exists():
        raise ActionNotAvailable("It does not wait to be approved.")
    fetched = TrackEvent.objects.filter(
        track__seller_share__payout=payout, track_status=TrackStatus.FETCHED, actor=by
    )
    if payout.seller_id == by.pk or fetched.exists():
        raise ActionNotAvailable("Who fetched the goods, or is paid for them, cannot approve it.")
    payout.approved_by, payout.next_check_at = by, timezone.now()
    payout.save(update_fields=["approved_by", "next_check_at"])
    return payout


def retry_refused_payout(payout_id: int, *, phone: str = "") -> Payout:
    """Let another payout carry what M-Pesa refused to send: to the same number, or to ``phone``."""
    try:
        phone = normalise_phone(phone) if phone else ""
    except ValueError as error:
        raise ActionNotAvailable("This is not a Kenyan mobile number.") from error
    if not retry_payout(payout_id, phone=phone, note="A person lets it be tried again."):
        raise ActionNotAvailable("M-Pesa has not refused it, or it is tried again already.")
    return Payout.objects.get(pk=payout_id)


@transaction.atomic
def record_payout_outcome(payout_id: int, *, number: str = "") -> Payout:
    """End a payout M-Pesa never spoke of: sent under ``number``, or not sent when that is empty.

    The portal tells which. One that was not sent may be tried again.
    """
    payout = locked_payout(payout_id)
    if not payout.is_under_way or payout.next_check_at is not None:
        raise ActionNotAvailable("M-Pesa is still being asked about it, or it has ended.")
    # Whoever decides has seen its note; what the decision itself brings to light is not seen yet.
    Payout.objects.filter(pk=payout_id).update(unseen=False)
    if number:
        finish_payout(payout_id, number=new_number(number), text="Seen on M-Pesa's portal.")
    else:
        refuse_payout(
            payout_id,
            code=STAFF_SAYS_UNPAID,
            text="A person has found that no money went.",
            reason=PayoutReason.OTHER,
        )
    payout.refresh_from_db()
    return payout


@transaction.atomic
def record_payout_on_portal(payout_id: int, *, number: str) -> Payout:
    """Write down that a person sent what M-Pesa refused, on its portal, under this receipt."""
    payout = locked_payout(payout_id)
    if payout.status != TransferStatus.REFUSED:
        raise ActionNotAvailable("M-Pesa has not refused it, or it is tried again already.")
    finish_payout(payout_id, number=new_number(number), text="Sent on M-Pesa's portal.")
    payout.refresh_from_db()
    return payout


@transaction.atomic
def acknowledge_payout(payout_id: int) -> Payout:
    """Say that a person has seen how a payout ended, and has done what there was to do."""
    payout = locked_row(Payout, payout_id)
    if not payout.unseen:
        raise ActionNotAvailable("Somebody has acknowledged it already.")
    payout.unseen = False
    payout.save(update_fields=["unseen"])
    return payout
