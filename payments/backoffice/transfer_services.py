"""Staff decisions about outgoing money: refunds, payouts, withdrawals and stops.

As in receipt_services.py, each is one transaction and raises ActionNotAvailable if the row is no
longer in a suitable state.
"""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from omachemainproj.background import enqueue_after_commit
from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.phones import normalise_phone
from payments.conflict_parties import people_of_payout
from payments.daraja.result_codes import TransferFailure
from payments.evidence import staff_who_reported
from payments.models import (
    DOUBTFUL,
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    RefundMethod,
    SellerShare,
    Transfer,
    TransferStatus,
    Withdrawal,
)
from payments.payouts.allocation import create_payouts
from payments.payouts.services import lock_payout, retry_payout
from payments.reconciliation.portal_statement_import import reasons_not_to_resume
from payments.reconciliation.withdrawals import (
    CannotBeSettled,
    set_aside,
    settle_as_payout,
    settle_as_refund,
    settle_as_returned,
)
from payments.refunds.external_reversals import (
    CannotBeReversed,
    record_outside_reversal,
    record_part_reversal,
)
from payments.refunds.handler import NOT_ANSWERED, lock_refund
from payments.refunds.replacements import create_replacement
from payments.transfers import (
    handler_of,
    is_known_number,
    mark_done,
    mark_refused,
)

from .approval_rules import require_uninvolved
from .receipt_services import STAFF_SAYS_UNPAID, tidy_number
from .refusals import ActionNotAvailable, not_available_on

TransferT = TypeVar("TransferT", bound=Transfer)

SECOND_PERSON = (
    "You cannot approve this: you decided it, entered the phone number, or recorded the payment."
)
SELLS_OR_CARRIES = (
    "You cannot approve this payout: you collected the goods or you are the seller being paid."
)
NOT_REFUSED = "M-Pesa has not rejected this transfer, or a retry already exists."
OTHER_AMOUNT = "M-Pesa reports another amount. Record how much the portal shows was sent."
NOT_AWAITING_APPROVAL = "This is not waiting for approval."


@transaction.atomic
def lift_payout_stop(stop_id: int) -> PayoutStop:
    """Resume outgoing payments.

    After a restore this needs M-Pesa's statements read up to the restore, and every withdrawal on
    them explained (payments.reconciliation.portal_statement_import). Otherwise staff vouch that the
    initiator's password and certificate are correct.
    """
    stop = lock_row(PayoutStop, stop_id)
    if not stop.is_open:
        raise ActionNotAvailable("This stop has already been lifted.")
    if missing := reasons_not_to_resume(stop):
        raise ActionNotAvailable(" ".join(missing))
    stop.is_open, stop.ended_at = False, timezone.now()
    stop.save(update_fields=["is_open", "ended_at"])
    return stop


@transaction.atomic
def settle_withdrawal_as_payout(withdrawal_id: int, *, username: str) -> Payout:
    """Record that an unexplained withdrawal was a payout to this seller."""
    seller = User.objects.filter(username__iexact=username).first()
    if seller is None:
        raise ActionNotAvailable(f"There is no account with the user name {username}.")
    with not_available_on(CannotBeSettled):
        return settle_as_payout(withdrawal_id, seller=seller)


@transaction.atomic
def settle_withdrawal_as_refund(withdrawal_id: int, *, number: str) -> Refund:
    """Record that an unexplained withdrawal refunded the payment with this receipt number."""
    with not_available_on(CannotBeSettled):
        return settle_as_refund(withdrawal_id, receipt_number=tidy_number(number))


@transaction.atomic
def settle_withdrawal_as_returned(withdrawal_id: int) -> Receipt:
    """Record that an unexplained withdrawal came back: each row settles the other."""
    with not_available_on(CannotBeSettled):
        return settle_as_returned(withdrawal_id)


@transaction.atomic
def set_withdrawal_aside(withdrawal_id: int) -> Withdrawal:
    """Record that a withdrawal was neither a refund nor a payout, but made on the portal."""
    with not_available_on(CannotBeSettled):
        return set_aside(withdrawal_id)


@transaction.atomic
def approve_payout(payout_id: int, *, by: User) -> Payout:
    """Approve a payout as the second person.

    The seller cannot approve it, nor can anyone who fetched its goods, entered the phone number or
    recorded the order's payment (``conflict_parties.people_of_payout``, and the evidence), nor who
    counts as one person with one of them (``approval_rules``).
    """
    payout = lock_row(Payout, payout_id)
    if not Payout.objects.to_approve().filter(pk=payout_id).exists():
        raise ActionNotAvailable(NOT_AWAITING_APPROVAL)
    orders = payout.shares.values("track__order")
    receipts = Receipt.objects.filter(order__in=orders).values_list("pk", flat=True)
    involved = people_of_payout(payout)
    require_uninvolved(
        by,
        {
            SELLS_OR_CARRIES: involved.seller | involved.fetched,
            SECOND_PERSON: involved.typed | staff_who_reported(receipts),
        },
    )
    payout.approved_by, payout.next_check_at = by, timezone.now()
    payout.on_hold_since, payout.on_hold_reason = None, ""
    payout.save(update_fields=["approved_by", "next_check_at", "on_hold_since", "on_hold_reason"])
    return payout


@transaction.atomic
def hold_payout(payout_id: int, *, why: str) -> Payout:
    """Put a payout that awaits approval on hold, until staff approve or reject it."""
    payout = lock_row(Payout, payout_id)
    if not payout.awaits_approval or payout.on_hold_since is not None:
        raise ActionNotAvailable("This payout is not waiting for approval, or is already on hold.")
    payout.on_hold_since, payout.on_hold_reason = timezone.now(), why[:200]
    payout.save(update_fields=["on_hold_since", "on_hold_reason"])
    return payout


@transaction.atomic
def reject_payout(payout_id: int, *, why: str) -> int:
    """Drop a payout that awaits approval, and withhold its earnings. Returns how many.

    Locks the seller, the earnings and then the payout: the order in which a problem withholds one.
    """
    seller_id = Payout.objects.values_list("seller_id", flat=True).get(pk=payout_id)
    lock_row(User, seller_id)
    shares = SellerShare.objects.filter(payout=payout_id).order_by("pk")
    share_ids = [share.pk for share in shares.select_for_update(no_key=True)]
    payout = lock_row(Payout, payout_id)
    if not payout.awaits_approval:
        raise ActionNotAvailable(NOT_AWAITING_APPROVAL)
    if not share_ids:
        raise ActionNotAvailable(
            "This payout has no order lines (it returns money that was withheld by mistake), so it "
            "cannot be rejected. Put it on hold instead."
        )
    payout.drop("Under review by staff.")
    return SellerShare.objects.filter(pk__in=share_ids).update(withheld_why=why[:200])


@transaction.atomic
def release_share(share_id: int) -> SellerShare:
    """Release withheld earnings into the seller's next payout."""
    share = lock_row(SellerShare, share_id)
    if not share.withheld_why or share.reversed_at is not None:
        raise ActionNotAvailable("These earnings are no longer on hold.")
    share.withheld_why = ""
    share.save(update_fields=["withheld_why"])
    enqueue_after_commit(create_payouts, share.seller_id)
    return share


@transaction.atomic
def approve_refund(refund_id: int, *, by: User) -> Refund:
    """Approve a refund as the second person.

    Not for the person who decided it, entered the phone number, recorded the payment or bought the
    goods, nor for who counts as one person with one of them.
    """
    refund = lock_refund(refund_id)
    if not refund.awaits_approval:
        raise ActionNotAvailable(NOT_AWAITING_APPROVAL)
    receipt = refund.receipt
    involved = {refund.author_id, receipt.phone_by_id, *staff_who_reported([receipt.pk])}
    if refund.order is not None:
        involved.add(refund.order.buyer_id)
    require_uninvolved(by, {SECOND_PERSON: involved})
    refund.approved_by, refund.next_check_at = by, timezone.now()
    refund.save(update_fields=["approved_by", "next_check_at"])
    return refund


@transaction.atomic
def retry_refund(refund_id: int, *, phone: str = "", by: User | None = None) -> Refund:
    """Replace a refund that M-Pesa rejected: by the same way, or to ``phone``.

    A number that ``by`` entered needs a second person's approval.
    """
    refund = _lock_refused_refund(refund_id)
    typed_by = by.pk if by is not None and phone else None
    checked_at = timezone.now() if refund.result_code == NOT_ANSWERED else None
    phone = _normalised(phone) or refund.phone
    if phone and not MIN_B2C <= refund.amount <= MAX_B2C:
        raise ActionNotAvailable(
            f"M-Pesa sends between {format_kes(MIN_B2C)} and {format_kes(MAX_B2C)} per payment."
        )
    if phone:
        # Without an answer from M-Pesa, staff checked its portal: the payment stood then.
        return create_replacement(
            refund, way=RefundMethod.B2C, phone=phone, checked_at=checked_at, actor_id=typed_by
        )
    if refund.way == RefundMethod.PORTAL:
        raise ActionNotAvailable("Enter the phone number to send it to.")
    return create_replacement(refund, way=refund.way)


def record_reversal_seen(receipt_id: int, *, number: str) -> str:
    """Record a reversal that M-Pesa made without our request, by its receipt. Returns a note."""
    with not_available_on(CannotBeReversed):
        return record_outside_reversal(receipt_id, number=tidy_number(number))


def record_part_reversal_seen(receipt_id: int, *, number: str, amount: int) -> str:
    """Record that M-Pesa reversed ``amount`` KES of a payment without our request, by the receipt
    of the reversal. Returns a note.
    """
    receipt = Receipt.objects.get(pk=receipt_id)
    if amount == receipt.amount:
        raise ActionNotAvailable("That is all of it: choose “M-Pesa reversed it”.")
    with not_available_on(CannotBeReversed):
        return record_part_reversal(receipt_id, number=tidy_number(number), amount=amount)


def retry_refused_payout(payout_id: int, *, phone: str = "", by: User | None = None) -> None:
    """Replace a payout that M-Pesa rejected: to the same number, or to ``phone``.

    A number that ``by`` entered needs a second person's approval.
    """
    note = "Retried by staff."
    typed_by = by.pk if by is not None and phone else None
    if not retry_payout(payout_id, phone=_normalised(phone), note=note, actor_id=typed_by):
        raise ActionNotAvailable(NOT_REFUSED)


@transaction.atomic
def record_refund_on_portal(refund_id: int, *, number: str) -> Refund:
    """Record that staff refunded the money on M-Pesa's portal, under this receipt.

    Creates a refund that replaces the rejected one. The payment must be confirmed: money that never
    arrived cannot be refunded.
    """
    refused, number = _lock_refused_refund(refund_id), new_number(number)
    if not refused.receipt.is_confirmed:
        raise ActionNotAvailable(
            "The payment is not confirmed yet. Check first whether the money arrived."
        )
    refund = create_replacement(refused, way=RefundMethod.PORTAL)
    refund.status, refund.next_check_at = TransferStatus.UNKNOWN, None
    refund.save(update_fields=["status", "next_check_at"])
    mark_done(refund, number=number, text="Refunded on M-Pesa's portal.")
    refund.refresh_from_db()
    return refund


@transaction.atomic
def record_payout_on_portal(payout_id: int, *, number: str) -> None:
    """Record that staff sent a rejected payout on M-Pesa's portal, under this receipt."""
    payout = lock_payout(payout_id)
    if payout.status != TransferStatus.REFUSED:
        raise ActionNotAvailable(NOT_REFUSED)
    if payout.has_other_amount:
        raise ActionNotAvailable(OTHER_AMOUNT)
    mark_done(payout, number=new_number(number), text="Sent on M-Pesa's portal.")


@transaction.atomic
def record_transfer_outcome(transfer: TransferT, *, number: str = "") -> TransferT:
    """Record the outcome of a transfer whose result M-Pesa never reported, as its portal shows it.

    With a receipt ``number`` the money was sent. Without one it was not: a refund is then replaced
    by another, and a payout may be retried.
    """
    row = handler_of(transfer).lock(transfer.pk)
    if not row.is_under_way or row.next_check_at is not None:
        raise ActionNotAvailable(
            "M-Pesa is still being queried about this, or its outcome is known."
        )
    if number and isinstance(row, Payout) and row.has_other_amount:
        raise ActionNotAvailable(OTHER_AMOUNT)
    # The user has seen the current note, but not one that this outcome adds.
    row.unacknowledged = False
    row.save(update_fields=["unacknowledged"])
    if number:
        mark_done(row, number=new_number(number), text="Seen on M-Pesa's portal.")
    else:
        mark_refused(
            row,
            code=STAFF_SAYS_UNPAID,
            text="Staff found that no money was sent.",
            reason=TransferFailure.OTHER,
        )
    row.refresh_from_db()
    return row


@transaction.atomic
def record_amount_sent(payout_id: int, *, number: str, amount: int) -> Payout:
    """Record how much of a payout M-Pesa sent, after it reported another amount, and its receipt.

    It is the amount M-Pesa reported or the one requested, as the portal shows. What was not sent is
    paid with another payout; what was sent beyond it is the seller's debt.
    """
    payout = lock_payout(payout_id)
    if not payout.has_other_amount:
        raise ActionNotAvailable("M-Pesa has not reported another amount for this.")
    if amount not in {payout.reported_amount, payout.amount} or not MIN_B2C <= amount <= MAX_B2C:
        raise ActionNotAvailable(
            f"M-Pesa reported {format_kes(payout.reported_amount or 0)}, and "
            f"{format_kes(payout.amount)} was requested. Enter the one that the portal shows."
        )
    recorded = None if amount == payout.amount else amount
    payout.note = ""
    if recorded is not None:
        sent = f"M-Pesa sent {format_kes(amount)} of {format_kes(payout.amount)}"
        rest = "the rest is owed" if amount < payout.amount else "the rest is the seller's debt"
        payout.note = f"{sent}: {rest}."
    payout.unacknowledged = False
    payout.save(update_fields=["note", "unacknowledged"])
    text = "Seen on M-Pesa's portal."
    mark_done(payout, number=new_number(number), recorded=recorded, text=text)
    create_payouts(payout.seller_id)
    payout.refresh_from_db()
    return payout


@transaction.atomic
def acknowledge(row: Receipt | Refund | Payout) -> None:
    """Record that staff have seen the note of a receipt, a refund or a payout."""
    locked = lock_row(type(row), row.pk)
    if not locked.unacknowledged:
        raise ActionNotAvailable("This has already been acknowledged.")
    locked.unacknowledged = False
    locked.save(update_fields=["unacknowledged"])


def new_number(typed: str) -> str:
    """Normalise the receipt number of outgoing money, which no other row may have."""
    number = tidy_number(typed)
    if not number.isalnum() or is_known_number(number):
        raise ActionNotAvailable(
            "Enter the receipt number shown on the M-Pesa portal. This one is already recorded."
        )
    return number


def _lock_refused_refund(refund_id: int) -> Refund:
    refund = lock_refund(refund_id)
    if not Refund.objects.refused().filter(pk=refund_id).exists():
        raise ActionNotAvailable("There is nothing left to decide about this refund.")
    if refund.receipt.verification in DOUBTFUL:
        raise ActionNotAvailable("The payment is in doubt. Decide first whether the money arrived.")
    return refund


def _normalised(phone: str) -> str:
    try:
        return normalise_phone(phone) if phone else ""
    except ValueError as error:
        raise ActionNotAvailable("This is not a Kenyan mobile number.") from error
