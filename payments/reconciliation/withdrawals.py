"""Withdrawals on M-Pesa's statement: records and settles each as the refund or payout it was.

A withdrawal that fits one row only is recorded as that transfer; the others wait for staff. After
a restore, transfers sent since the backup are in no row: nothing leaves (``PayoutStop``) until each
withdrawal is explained. At other times withdrawals stop nothing.

Locks: the withdrawal, then what a transfer locks (payments.transfers).
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from omachemainproj.locking import lock_row
from omachemainproj.money import format_kes
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.phones import in_full, match_phone
from payments.daraja.portal_statement import Movement
from payments.models import (
    DOUBTFUL,
    Payout,
    Provider,
    Receipt,
    Refund,
    RefundMethod,
    SellerShare,
    Transfer,
    TransferStatus,
    Withdrawal,
    WithdrawalState,
)
from payments.payouts.services import drop_due_payouts
from payments.refunds.external_reversals import (
    CannotBeReversed,
    correct_reversal,
    record_outside_reversal,
)
from payments.refunds.routes import payer_phone
from payments.refunds.unrecorded_refunds import record_refund_found
from payments.transfers import is_number_of_transfer, mark_done
from products.models import Product

from .receipts import find_receipt
from .withdrawal_matching import (
    CLOCKS_DIFFER,
    candidates,
    find_by_number,
    find_by_request,
    find_only_candidate,
    is_full_number,
)

logger = logging.getLogger(__name__)

FOUND = "Found on M-Pesa's statement."
#: How long it is tried to settle the reversal of a new payment.
REVERSAL_RETRY_PERIOD = timedelta(hours=1)
#: How many of a seller's latest numbers a masked one is compared with.
NUMBERS_COMPARED = 50
CAME_BACK = "It was sent before, and came back."
ANOTHER = "Another refund or payout is recorded under its number."


class CannotBeSettled(ValueError):
    """The withdrawal is settled already, or cannot be this. Its text can be shown to staff."""


@transaction.atomic
def take_in_withdrawal(movement: Movement, *, shortcode: str) -> Withdrawal | None:
    """Record money that left ``shortcode``. Safe to repeat.

    Returns the withdrawal if it is not explained yet; None if it is known or could be settled: as a
    reversal of a payment of ours, or as the only refund or payout it fits.
    """
    if is_number_of_transfer(movement.receipt):
        # Staff may have recorded it on the page of its refund or payout since it was read.
        for known in Withdrawal.objects.still_open().filter(number=movement.receipt):
            settle_again(known.pk)
        _correct_recorded(movement.receipt, reverses=movement.reverses, amount=movement.amount)
        return None
    withdrawal, _ = Withdrawal.objects.get_or_create(
        number=movement.receipt,
        defaults={
            "shortcode": shortcode,
            "amount": movement.amount,
            "phone": in_full(movement.phone)[:64],
            "reason": movement.reason,
            "reverses": movement.reverses,
            "left_at": movement.at,
        },
    )
    if not withdrawal.is_open:
        return None
    settled = _settle_if_unambiguous(withdrawal, movement.ids)
    return None if settled else withdrawal


@transaction.atomic
def settle_again(withdrawal_id: int) -> bool:
    """Check again whether a withdrawal fits one row only by now; return whether it is settled."""
    withdrawal = lock_row(Withdrawal, withdrawal_id)
    return not withdrawal.is_open or _settle_if_unambiguous(withdrawal, ())


def reversals_of_new_payments(now: datetime) -> QuerySet[Withdrawal]:
    """Open withdrawals that reversed a payment which was recorded after them, in the last hour."""
    recorded = Receipt.objects.numbered(Provider.MPESA, OuterRef("reverses")).filter(
        amount=OuterRef("amount"), created_at__gt=now - REVERSAL_RETRY_PERIOD
    )
    return Withdrawal.objects.still_open().exclude(reverses="").filter(Exists(recorded))


def _settle_if_unambiguous(withdrawal: Withdrawal, ids: tuple[str, ...]) -> bool:
    if (known := find_by_number(withdrawal)) is not None:
        _settle(withdrawal, _corrected(known, withdrawal))
        return True
    if withdrawal.reverses:
        return _settle_reversal(withdrawal)
    row = find_by_request(ids, withdrawal.amount) or find_only_candidate(withdrawal)
    if row is None or row.is_unapproved or _was_replaced(row):
        # A payout that is not approved here is approved first: then this settles it. One that staff
        # refused to send, and that had been sent, is left to staff.
        return False
    mark_done(row, number=withdrawal.number, amount=withdrawal.amount, text=FOUND)
    _settle(withdrawal, row)
    return True


def _corrected(known: Transfer, withdrawal: Withdrawal) -> Transfer | None:
    """Correct a reversal that is recorded under the withdrawal's number with another amount; return
    the transfer that it was."""
    if not isinstance(known, Refund):
        return known
    _correct_recorded(known.number, reverses=withdrawal.reverses, amount=withdrawal.amount)
    known.refresh_from_db()
    is_corrected = known.status == TransferStatus.DROPPED
    return known.receipt.refunds.done_outside().last() if is_corrected else known


def _correct_recorded(number: str, *, reverses: str, amount: int) -> None:
    """Correct the reversal of the payment ``reverses`` that is recorded under this number, if it
    has another amount in KES. One that was recorded for another payment is left to staff."""
    receipt = find_receipt(reverses)
    if receipt is not None:
        correct_reversal(receipt.pk, number=number, amount=amount)


def _was_replaced(row: Transfer) -> bool:
    """Whether M-Pesa said that a refund was sent and came back, and another was made for it: the
    withdrawal is not a second refund, and is settled with its return."""
    is_refund = isinstance(row, Refund) and row.was_returned
    return is_refund and Refund.objects.filter(replaces=row.pk).exists()


def _settle_reversal(withdrawal: Withdrawal) -> bool:
    """Settle it as the reversal of a payment of ours, by us or by M-Pesa."""
    receipt = find_receipt(withdrawal.reverses)
    if receipt is None or receipt.amount != withdrawal.amount:
        return False
    try:
        record_outside_reversal(receipt.pk, number=withdrawal.number)
    except CannotBeReversed as error:
        logger.warning("withdrawal %s: %s", withdrawal.number, error)
        return False
    back = receipt.refunds.filter(
        status=TransferStatus.DONE, way__in=[RefundMethod.OUTSIDE, RefundMethod.REVERSAL]
    )
    _settle(withdrawal, back.order_by("pk").last())
    return True


@transaction.atomic
def settle_as_payout(withdrawal_id: int, *, seller: User) -> Payout:
    """Record that a withdrawal paid a seller: a payout of theirs that may have been sent, if one
    fits.

    If none fits, a payout is created for it, and is the seller's debt until the line it was for is
    collected again: their next payouts are reduced by it.

    Raises CannotBeSettled.
    """
    withdrawal = _locked_open(withdrawal_id)
    known = find_by_number(withdrawal)
    if isinstance(known, Payout) and known.seller_id == seller.pk:
        _settle(withdrawal, known)
        return known
    if known is not None:
        raise CannotBeSettled(ANOTHER)
    if not withdrawal.phone or withdrawal.reverses:
        raise CannotBeSettled("It did not go to a phone, so it cannot have paid a seller.")
    fitting = [
        row
        for row in candidates(withdrawal)
        if isinstance(row, Payout) and row.seller_id == seller.pk and not row.awaits_approval
    ]
    payout = fitting[0] if fitting else _advance(withdrawal, seller)
    # Before it is done: whether it proves the number depends on what the statement shows.
    _settle(withdrawal, payout)
    mark_done(payout, number=withdrawal.number, amount=withdrawal.amount, text=FOUND)
    if not fitting:
        drop_due_payouts(seller.pk, "What was sent already is deducted.")
    payout.refresh_from_db()
    return payout


def _advance(withdrawal: Withdrawal, seller: User) -> Payout:
    """Create a payout without any known line."""
    if not MIN_B2C <= withdrawal.amount <= MAX_B2C:
        raise CannotBeSettled(
            f"M-Pesa pays out {format_kes(MIN_B2C)} to {format_kes(MAX_B2C)} at a time."
        )
    phone = (
        withdrawal.phone
        if is_full_number(withdrawal.phone)
        else _matching_number(withdrawal, seller)
    )
    # The seller is locked before their payouts.
    lock_row(User, seller.pk)
    return Payout.objects.create(
        seller=seller,
        phone=phone,
        gross=0,
        amount=withdrawal.amount,
        # It was sent already: no approval is needed.
        approval_above=max(withdrawal.amount, settings.PAYOUT_APPROVAL_ABOVE),
        note="Shown on M-Pesa's statement as sent; its order items are not known.",
        sent_at=withdrawal.left_at,
    )


def _matching_number(withdrawal: Withdrawal, seller: User) -> str:
    """The number of the seller's that agrees best with what the statement shows; of equal ones, the
    one they were paid at last."""
    sold = SellerShare.objects.filter(seller=seller.pk).order_by("-pk")
    listed = Product.objects.filter(seller=seller.pk).order_by("-pk")
    numbers = [
        *sold.values_list("phone", flat=True)[:NUMBERS_COMPARED],
        *listed.values_list("payment_mpesa_number", flat=True)[:NUMBERS_COMPARED],
    ]
    if not numbers:
        raise CannotBeSettled(
            "The statement shows only part of the number, and this person sells nothing."
        )
    return max(numbers, key=lambda number: match_phone(withdrawal.phone, number))


@transaction.atomic
def settle_as_refund(withdrawal_id: int, *, receipt_number: str) -> Refund:
    """Record that a withdrawal refunded a payment, or a part of it.

    A refund of it that may have been sent, if one fits. Otherwise, what the order's remaining lines
    lack is written off until they are cancelled, as when M-Pesa reverses a payment itself.

    Raises CannotBeSettled.
    """
    withdrawal = _locked_open(withdrawal_id)
    known = find_by_number(withdrawal)
    if isinstance(known, Refund) and known.receipt.number == receipt_number:
        _settle(withdrawal, known)
        return known
    if known is not None:
        raise CannotBeSettled(ANOTHER)
    receipt = _find_refunded(receipt_number)
    if not withdrawal.phone:
        raise CannotBeSettled("It did not go to a phone, so it cannot have refunded a payment.")
    try:
        refund = record_refund_found(
            receipt.pk,
            number=withdrawal.number,
            amount=withdrawal.amount,
            phone=withdrawal.phone if is_full_number(withdrawal.phone) else payer_phone(receipt),
            text=FOUND,
            left_before=withdrawal.left_at + CLOCKS_DIFFER,
        )
    except CannotBeReversed as error:
        raise CannotBeSettled(str(error)) from error
    _settle(withdrawal, refund)
    return refund


def _find_refunded(receipt_number: str) -> Receipt:
    """The payment with this number. A bank's is refunded to a phone by M-Pesa too."""
    found = list(Receipt.objects.with_number(receipt_number).select_related("payment"))
    if not found:
        raise CannotBeSettled(f"There is no payment {receipt_number}.")
    if len(found) > 1:
        raise CannotBeSettled(
            f"There are several payments {receipt_number}. Enter this withdrawal's number on the "
            "page of the refund that it was."
        )
    return found[0]


@transaction.atomic
def settle_as_returned(withdrawal_id: int) -> Receipt:
    """Record that a withdrawal came back in full, so that nothing is owed for it; return that
    receipt.

    What it was sent for was paid another way, or is still due in other rows.

    Raises CannotBeSettled if it did not come back, or staff have decided about the receipt.
    """
    withdrawal = _locked_open(withdrawal_id)
    if find_by_number(withdrawal) is not None:
        raise CannotBeSettled(ANOTHER)
    receipt = withdrawal.return_receipt
    if receipt is None:
        raise CannotBeSettled("No statement read so far shows that all of it came back.")
    receipt = lock_row(Receipt, receipt.pk)
    unmatched = Receipt.objects.unmatched().filter(pk=receipt.pk, refunds=None)
    if receipt.verification in DOUBTFUL or not unmatched.exists():
        raise CannotBeSettled("Someone has already decided about the money that came back.")
    refund = record_refund_found(
        receipt.pk,
        number=withdrawal.number,
        amount=withdrawal.amount,
        phone=withdrawal.phone if is_full_number(withdrawal.phone) else "",
        text=CAME_BACK,
        left_before=withdrawal.left_at + CLOCKS_DIFFER,
    )
    _settle(withdrawal, refund)
    return receipt


@transaction.atomic
def set_aside(withdrawal_id: int) -> Withdrawal:
    """Record that a withdrawal was none of the shop's refunds and payouts. Raises CannotBeSettled.

    Money withdrawn on the portal is in none of our books.
    """
    withdrawal = _locked_open(withdrawal_id)
    withdrawal.state, withdrawal.settled_at = WithdrawalState.ASIDE, timezone.now()
    withdrawal.save(update_fields=["state", "settled_at"])
    return withdrawal


def _locked_open(withdrawal_id: int) -> Withdrawal:
    withdrawal = lock_row(Withdrawal, withdrawal_id)
    if not withdrawal.is_open:
        raise CannotBeSettled("This withdrawal has already been explained.")
    return withdrawal


def _settle(withdrawal: Withdrawal, row: Transfer | None) -> None:
    withdrawal.settled_at = timezone.now()
    if isinstance(row, Payout):
        withdrawal.state, withdrawal.payout = WithdrawalState.PAYOUT, row
    elif isinstance(row, Refund):
        withdrawal.state, withdrawal.refund = WithdrawalState.REFUND, row
    withdrawal.save(update_fields=["state", "payout", "refund", "settled_at"])
    logger.warning("withdrawal %s of KES %s: %s", withdrawal.number, withdrawal.amount, row)
