"""What staff may do about money that goes out: refunds, payouts, and what stops both.

As in receipt_services.py: one transaction each, ActionNotAvailable where it no longer applies.
"""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from omachemainproj.background import enqueue_after_commit
from omachemainproj.compiled_queries import locked_row
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.phones import normalise_phone
from orders.models import TrackEvent, TrackStatus
from payments.daraja.result_codes import PayoutReason
from payments.evidence import staff_who_reported
from payments.models import (
    DOUBTFUL,
    MoneyOut,
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    RefundMethod,
    SellerShare,
    TransferStatus,
    Withdrawal,
)
from payments.payouts.allocation import create_payouts
from payments.payouts.services import lock_payout, retry_payout
from payments.reconciliation.statement_recovery import what_is_missing
from payments.reconciliation.withdrawals import (
    CannotBeSettled,
    set_withdrawal_aside,
    settle_as_payout,
    settle_as_refund,
    settle_as_returned,
)
from payments.refunds.external_reversals import CannotBeReversed, record_outside_reversal
from payments.refunds.handler import NOT_ANSWERED, create_replacement, lock_refund
from payments.transfers import handler_of, is_known_number, mark_done, mark_refused

from .receipt_services import STAFF_SAYS_UNPAID, ActionNotAvailable, tidy_number

Transfer = TypeVar("Transfer", bound=MoneyOut)

SECOND_PERSON = "Who decided it, typed its number or wrote its payment down cannot approve it."
NOT_REFUSED = "M-Pesa has not refused it, or it is tried again already."


@transaction.atomic
def lift_payout_stop(stop_id: int) -> PayoutStop:
    """Let money leave again: the initiator's password and certificate are right, or what left since
    the backup is known.

    After a restore it is known once M-Pesa's statements were read up to then, and every withdrawal
    on them is explained (payments.reconciliation.statement_recovery).
    """
    stop = locked_row(PayoutStop, stop_id)
    if not stop.is_open:
        raise ActionNotAvailable("Payouts are not stopped by this any more.")
    if missing := what_is_missing(stop):
        raise ActionNotAvailable(" ".join(missing))
    stop.is_open, stop.ended_at = False, timezone.now()
    stop.save(update_fields=["is_open", "ended_at"])
    return stop


@transaction.atomic
def say_it_paid_a_seller(withdrawal_id: int, *, username: str) -> Payout:
    """Record that money which no row of ours told of paid this seller."""
    seller = User.objects.filter(username__iexact=username).first()
    if seller is None:
        raise ActionNotAvailable(f"Nobody is called {username}.")
    try:
        return settle_as_payout(withdrawal_id, seller=seller)
    except CannotBeSettled as error:
        raise ActionNotAvailable(str(error)) from error


@transaction.atomic
def say_it_gave_back(withdrawal_id: int, *, number: str) -> Refund:
    """Record that money which no row of ours told of gave the payment of this number back."""
    try:
        return settle_as_refund(withdrawal_id, receipt_number=tidy_number(number))
    except CannotBeSettled as error:
        raise ActionNotAvailable(str(error)) from error


@transaction.atomic
def say_it_came_back(withdrawal_id: int) -> Receipt:
    """Record that money which no row of ours told of came back: both are settled by each other."""
    try:
        return settle_as_returned(withdrawal_id)
    except CannotBeSettled as error:
        raise ActionNotAvailable(str(error)) from error


@transaction.atomic
def say_it_is_none_of_ours(withdrawal_id: int) -> Withdrawal:
    """Record that money which left was no refund and no payout: taken out on the portal."""
    try:
        return set_withdrawal_aside(withdrawal_id)
    except CannotBeSettled as error:
        raise ActionNotAvailable(str(error)) from error


@transaction.atomic
def approve_payout(payout_id: int, *, by: User) -> Payout:
    """Let a payout leave that waits for a second person, who has looked at it.

    Two people have to agree: neither its seller nor whoever fetched its goods may approve it, nor
    who typed the number it goes to or wrote down what its order was paid with.
    """
    payout = locked_row(Payout, payout_id)
    if not Payout.objects.to_approve().filter(pk=payout_id).exists():
        raise ActionNotAvailable("It does not wait to be approved.")
    fetched = TrackEvent.objects.filter(
        track__seller_share__payout=payout, track_status=TrackStatus.FETCHED, actor=by
    )
    if payout.seller_id == by.pk or fetched.exists():
        raise ActionNotAvailable("Who fetched the goods, or is paid for them, cannot approve it.")
    orders = payout.shares.values("track__order")
    receipts = Receipt.objects.filter(order__in=orders).values_list("pk", flat=True)
    typed = payout.shares.filter(phone_by__isnull=False).values_list("phone_by", flat=True)
    if by.pk in {payout.author_id, *typed, *staff_who_reported(receipts)}:
        raise ActionNotAvailable(SECOND_PERSON)
    payout.approved_by, payout.next_check_at = by, timezone.now()
    payout.held_at, payout.held_why = None, ""
    payout.save(update_fields=["approved_by", "next_check_at", "held_at", "held_why"])
    return payout


@transaction.atomic
def hold_payout(payout_id: int, *, why: str) -> Payout:
    """Keep a payout back that waits for a second person, until somebody decides otherwise."""
    payout = locked_row(Payout, payout_id)
    if not payout.awaits_approval or payout.held_at is not None:
        raise ActionNotAvailable("It does not wait to be approved, or is kept back already.")
    payout.held_at, payout.held_why = timezone.now(), why[:200]
    payout.save(update_fields=["held_at", "held_why"])
    return payout


@transaction.atomic
def refuse_payout(payout_id: int, *, why: str) -> int:
    """Drop a payout that waits for a second person; its lines wait for one too. Returns how many.

    Their shares are locked before it, as where a problem holds one of them back.
    """
    seller_id = Payout.objects.values_list("seller_id", flat=True).get(pk=payout_id)
    locked_row(User, seller_id)
    carried = SellerShare.objects.filter(payout=payout_id).order_by("pk")
    share_ids = [share.pk for share in carried.select_for_update(no_key=True)]
    payout = locked_row(Payout, payout_id)
    if not payout.awaits_approval:
        raise ActionNotAvailable("It does not wait to be approved.")
    if not share_ids:
        raise ActionNotAvailable("It is for no line, but for what was kept too long: keep it back.")
    payout.drop("Somebody looks at it first.")
    return SellerShare.objects.filter(pk__in=share_ids).update(withheld_why=why[:200])


@transaction.atomic
def release_share(share_id: int) -> SellerShare:
    """Let what a person kept back of a seller's earnings go into their next payout."""
    share = locked_row(SellerShare, share_id)
    if not share.withheld_why or share.reversed_at is not None:
        raise ActionNotAvailable("Nobody keeps it back any more.")
    share.withheld_why = ""
    share.save(update_fields=["withheld_why"])
    enqueue_after_commit(create_payouts, share.seller_id)
    return share


@transaction.atomic
def approve_refund(refund_id: int, *, by: User) -> Refund:
    """Let a refund leave that waits for a second person, who has looked at it.

    Not who decided it or typed the number it goes to, nor who wrote its payment down or bought
    with it.
    """
    refund = lock_refund(refund_id)
    if not refund.awaits_approval:
        raise ActionNotAvailable("It does not wait to be approved.")
    receipt = refund.receipt
    involved = {refund.author_id, receipt.phone_by_id, *staff_who_reported([receipt.pk])}
    if refund.order is not None:
        involved.add(refund.order.buyer_id)
    if by.pk in involved:
        raise ActionNotAvailable(SECOND_PERSON)
    refund.approved_by, refund.next_check_at = by, timezone.now()
    refund.save(update_fields=["approved_by", "next_check_at"])
    return refund


@transaction.atomic
def retry_refund(refund_id: int, *, phone: str = "", by: User | None = None) -> Refund:
    """Replace a refund that M-Pesa refused by another: the same way, or to ``phone``.

    What goes to a number that ``by`` typed waits for a second person.
    """
    refund = _locked_refused(refund_id)
    typed_by = by.pk if by is not None and phone else None
    stands_at = timezone.now() if refund.result_code == NOT_ANSWERED else None
    phone = _normalised(phone) or refund.phone
    if phone and not MIN_B2C <= refund.amount <= MAX_B2C:
        raise ActionNotAvailable(f"M-Pesa pays out KES {MIN_B2C} to {MAX_B2C} at a time.")
    if phone:
        # Whom M-Pesa did not answer has looked on its portal.
        return create_replacement(
            refund, way=RefundMethod.B2C, phone=phone, stands_at=stands_at, actor_id=typed_by
        )
    if refund.way == RefundMethod.PORTAL:
        raise ActionNotAvailable("Name the number it is to be sent to.")
    return create_replacement(refund, way=refund.way)


def record_reversal_seen(receipt_id: int, *, number: str) -> str:
    """Record that M-Pesa took a payment back by itself, under this receipt. Returns a note."""
    try:
        return record_outside_reversal(receipt_id, number=tidy_number(number))
    except CannotBeReversed as error:
        raise ActionNotAvailable(str(error)) from error


def retry_refused_payout(payout_id: int, *, phone: str = "", by: User | None = None) -> None:
    """Let another payout carry what M-Pesa refused to send: to the same number, or to ``phone``.

    What goes to a number that ``by`` typed waits for a second person.
    """
    note = "A person lets it be tried again."
    typed_by = by.pk if by is not None and phone else None
    if not retry_payout(payout_id, phone=_normalised(phone), note=note, actor_id=typed_by):
        raise ActionNotAvailable(NOT_REFUSED)


@transaction.atomic
def record_refund_on_portal(refund_id: int, *, number: str) -> Refund:
    """Record that a person gave the money back on M-Pesa's portal, under this receipt.

    A refund of its own, which replaces the one that M-Pesa refused. Not for a payment that nobody
    has confirmed: what never came cannot have been given back.
    """
    refused, number = _locked_refused(refund_id), new_number(number)
    if not refused.receipt.is_confirmed:
        raise ActionNotAvailable("Its payment is not confirmed: see first whether it came.")
    refund = create_replacement(refused, way=RefundMethod.PORTAL)
    refund.status, refund.next_check_at = TransferStatus.UNKNOWN, None
    refund.save(update_fields=["status", "next_check_at"])
    mark_done(refund, number=number, text="Given back on M-Pesa's portal.")
    refund.refresh_from_db()
    return refund


@transaction.atomic
def record_payout_on_portal(payout_id: int, *, number: str) -> None:
    """Record that a person sent what M-Pesa refused, on its portal, under this receipt."""
    payout = lock_payout(payout_id)
    if payout.status != TransferStatus.REFUSED:
        raise ActionNotAvailable(NOT_REFUSED)
    mark_done(payout, number=new_number(number), text="Sent on M-Pesa's portal.")


@transaction.atomic
def record_transfer_outcome(transfer: Transfer, *, number: str = "") -> Transfer:
    """End a refund or payout whose result M-Pesa never reported, as its portal shows it.

    Done under the receipt ``number``, or not done where that is empty; then a refund is replaced
    by another, and a payout may be tried again.
    """
    row = handler_of(transfer).lock(transfer.pk)
    if not row.is_under_way or row.next_check_at is not None:
        raise ActionNotAvailable("M-Pesa is still being asked about it, or it has ended.")
    # Whoever acts has seen its note; a note that the outcome itself leads to is not seen yet.
    row.unacknowledged = False
    row.save(update_fields=["unacknowledged"])
    if number:
        mark_done(row, number=new_number(number), text="Seen on M-Pesa's portal.")
    else:
        mark_refused(
            row,
            code=STAFF_SAYS_UNPAID,
            text="A person has found that no money went.",
            reason=PayoutReason.OTHER,
        )
    row.refresh_from_db()
    return row


@transaction.atomic
def acknowledge(row: Receipt | Refund | Payout) -> None:
    """Record that a person has seen the note of a receipt, a refund or a payout."""
    locked = locked_row(type(row), row.pk)
    if not locked.unacknowledged:
        raise ActionNotAvailable("Somebody has acknowledged it already.")
    locked.unacknowledged = False
    locked.save(update_fields=["unacknowledged"])


def new_number(typed: str) -> str:
    """M-Pesa's receipt of money that left, tidy; no other movement may have it."""
    number = tidy_number(typed)
    if not number.isalnum() or is_known_number(number):
        raise ActionNotAvailable(
            "Name the portal's own receipt number, not one that is known already."
        )
    return number


def _locked_refused(refund_id: int) -> Refund:
    refund = lock_refund(refund_id)
    if not Refund.objects.refused().filter(pk=refund_id).exists():
        raise ActionNotAvailable("Nothing is left to decide about this refund.")
    if refund.receipt.verification in DOUBTFUL:
        raise ActionNotAvailable("Its payment is in doubt: decide first whether it came.")
    return refund


def _normalised(phone: str) -> str:
    try:
        return normalise_phone(phone) if phone else ""
    except ValueError as error:
        raise ActionNotAvailable("This is not a Kenyan mobile number.") from error
