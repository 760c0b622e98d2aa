"""What staff may do about money that goes out: refunds, payouts, and what stops both.

As in resolve_money_in.py: one transaction each, ActionNotAvailable where it no longer applies.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from omachemainproj.compiled_queries import locked_row
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.phones import normalise_phone
from orders.models import TrackEvent, TrackStatus
from payments.daraja.result_codes import PayoutReason
from payments.models import Payout, PayoutStop, Receipt, Refund, TransferStatus, Way
from payments.payouts.services import locked_payout, retry_payout
from payments.refunds.services import create_replacement, locked_refund
from payments.transfers import mark_done, mark_refused

from .resolve_money_in import STAFF_SAYS_UNPAID, ActionNotAvailable, tidy_number


@transaction.atomic
def lift_payout_stop(stop_id: int) -> PayoutStop:
    """Let money leave again: the initiator's password and certificate are right."""
    stop = locked_row(PayoutStop, stop_id)
    if not stop.is_open:
        raise ActionNotAvailable("Payouts are not stopped by this any more.")
    stop.is_open, stop.ended_at = False, timezone.now()
    stop.save(update_fields=["is_open", "ended_at"])
    return stop


@transaction.atomic
def retry_refund(refund_id: int, *, phone: str = "") -> Refund:
    """Let another refund follow one that M-Pesa refused: the same way, or to ``phone``."""
    refund = _refused(refund_id)
    try:
        phone = normalise_phone(phone) if phone else refund.phone
    except ValueError as error:
        raise ActionNotAvailable("This is not a Kenyan mobile number.") from error
    if phone and not MIN_B2C <= refund.amount <= MAX_B2C:
        raise ActionNotAvailable(f"M-Pesa pays out KES {MIN_B2C} to {MAX_B2C} at a time.")
    if phone:
        return create_replacement(refund, way=Way.B2C, phone=phone)
    if refund.way == Way.PORTAL:
        raise ActionNotAvailable("Name the number it is to be sent to.")
    return create_replacement(refund, way=refund.way)


@transaction.atomic
def record_refund_on_portal(refund_id: int, *, number: str) -> Refund:
    """Write down that a person gave the money back on M-Pesa's portal, under this receipt."""
    refund = _refused(refund_id)
    number = new_number(number)
    by_person = create_replacement(refund, way=Way.PORTAL)
    Refund.objects.filter(pk=by_person.pk).update(status=TransferStatus.UNKNOWN, next_check_at=None)
    mark_done(by_person, number=number, text="Given back on M-Pesa's portal.")
    by_person.refresh_from_db()
    return by_person


@transaction.atomic
def record_refund_outcome(refund_id: int, *, number: str = "") -> Refund:
    """End a refund M-Pesa never spoke of: done under ``number``, or not done when that is empty.

    The portal tells which. One that was not done is followed by another.
    """
    refund = locked_refund(refund_id)
    if not refund.is_under_way or refund.next_check_at is not None:
        raise ActionNotAvailable("M-Pesa is still being asked about it, or it has ended.")
    # Whoever decides has seen its note; what the decision itself brings to light is not seen yet.
    Refund.objects.filter(pk=refund_id).update(unseen=False)
    if number:
        number = new_number(number)
        mark_done(refund, number=number, text="Seen on M-Pesa's portal.")
    else:
        mark_refused(
            refund,
            code=STAFF_SAYS_UNPAID,
            text="A person has found that no money went.",
            reason=PayoutReason.OTHER,
        )
    refund.refresh_from_db()
    return refund


def _refused(refund_id: int) -> Refund:
    refund = locked_refund(refund_id)
    if not Refund.objects.refused().filter(pk=refund_id).exists():
        raise ActionNotAvailable("Nothing is left to decide about this refund.")
    return refund


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
        mark_done(payout, number=new_number(number), text="Seen on M-Pesa's portal.")
    else:
        mark_refused(
            payout,
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
    mark_done(payout, number=new_number(number), text="Sent on M-Pesa's portal.")
    payout.refresh_from_db()
    return payout


@transaction.atomic
def acknowledge(row: Receipt | Refund | Payout) -> None:
    """Record that a person has seen the note of a receipt, a refund or a payout."""
    locked = locked_row(type(row), row.pk)
    if not locked.unseen:
        raise ActionNotAvailable("Somebody has acknowledged it already.")
    locked.unseen = False
    locked.save(update_fields=["unseen"])


def new_number(typed: str) -> str:
    """M-Pesa's receipt of money that left, which no refund and no payout has yet."""
    number = tidy_number(typed)
    known = Refund.objects.filter(number=number).exists()
    if known or not number.isalnum() or Payout.objects.filter(number=number).exists():
        raise ActionNotAvailable(
            "Name the portal's own receipt number, not one that is known already."
        )
    return number
