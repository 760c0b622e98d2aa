"""Money that left by M-Pesa's own statement: which refund or payout of ours it was, or none.

After a restore what was sent since the backup is in no row. What can be one row only is written
down as done; the rest waits for a person, and until then nothing leaves (payments.disbursement).

Locks: the withdrawal, then what a transfer takes (payments.transfers).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from omachemainproj.locking import locked_row
from omachemainproj.mpesa_limits import MAX_B2C, MIN_B2C
from omachemainproj.phones import PhoneMatch, in_full, match_phone, normalise_phone
from payments.daraja.portal_statement import Movement
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
    Unnumbered,
    Withdrawal,
    WithdrawalState,
)
from payments.models.transfers import UNDER_WAY
from payments.payouts.services import drop_due_payouts
from payments.refunds.external_reversals import (
    CannotBeReversed,
    record_outside_reversal,
    record_refund_found,
)
from payments.refunds.routes import payer_phone
from payments.transfers import left_under, mark_done
from products.models import Product

from .receipts import find_receipt

logger = logging.getLogger(__name__)

#: Rows that may have left: a person may send what was refused on the portal.
MAY_HAVE_LEFT = (*UNDER_WAY, TransferStatus.REFUSED)
#: By how much M-Pesa's clock and ours may differ.
CLOCKS_DIFFER = timedelta(minutes=2)
FOUND = "Found on M-Pesa's statement."
#: Of a seller's numbers, how many of the latest a masked one is compared with.
NUMBERS_COMPARED = 50
CAME_BACK = "It had left before, and came back."


class CannotBeSettled(ValueError):
    """The withdrawal is settled already, or cannot be this. Its text is a plain sentence."""


@transaction.atomic
def take_in_withdrawal(movement: Movement, *, shortcode: str) -> Withdrawal | None:
    """Record money that left ``shortcode``. Safe to repeat.

    Returns the withdrawal where nobody can say yet what it was; None where it is known, or became
    clear: a reversal of a payment of ours, or the one refund or payout it can be.
    """
    if left_under(movement.receipt):
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
    settled = _settle_by_itself(withdrawal, movement.ids)
    return None if settled else withdrawal


@transaction.atomic
def settle_again(withdrawal_id: int) -> bool:
    """See again whether a withdrawal can be one row only by now; whether it is settled."""
    withdrawal = locked_row(Withdrawal, withdrawal_id)
    return not withdrawal.is_open or _settle_by_itself(withdrawal, ())


def _settle_by_itself(withdrawal: Withdrawal, ids: tuple[str, ...]) -> bool:
    if withdrawal.reverses:
        return _settle_reversal(withdrawal)
    row = _named_by(ids, withdrawal.amount) or _only_candidate(withdrawal)
    if row is None or row.is_unapproved:
        # One that nobody has approved here is approved first: then this is its end. One that they
        # would not send, and that had left, is a person's.
        return False
    mark_done(row, number=withdrawal.number, amount=withdrawal.amount, text=FOUND)
    _settle(withdrawal, row)
    return True


def _settle_reversal(withdrawal: Withdrawal) -> bool:
    """Record that a payment of ours was taken back, by us or by M-Pesa."""
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


def _named_by(ids: tuple[str, ...], amount: int) -> MoneyOut | None:
    """The row that the request behind it was made for; not one that has its number."""
    if not ids:
        return None
    named = Q(originator_conversation_id__in=ids) | Q(conversation_id__in=ids)
    found: list[MoneyOut] = [
        row
        for model in (Payout, Refund)
        for row in model._default_manager.filter(named, amount=amount)
        .exclude(~Q(number=""), status=TransferStatus.DONE)
        .order_by("pk")
    ]
    return found[0] if len(found) == 1 else None


def _only_candidate(withdrawal: Withdrawal) -> MoneyOut | None:
    """The row it can be by phone and amount; of a seller's equal payouts the oldest.

    None where it may be of two people, or a refund as well as a payout.
    """
    if not _is_full(withdrawal.phone):
        return None
    rows: list[MoneyOut] = list(candidates(withdrawal))
    payouts = [row for row in rows if isinstance(row, Payout)]
    of_one_seller = len({row.seller_id for row in payouts}) == 1 and len(payouts) == len(rows)
    return rows[0] if len(rows) == 1 or of_one_seller else None


def candidates(withdrawal: Withdrawal) -> Iterator[Payout | Refund]:
    """Refunds and payouts of this amount that may have left, to a phone this could be.

    Those first of which M-Pesa said that they were made, and named no receipt. No refund of what
    came after it left: that may be the same money, which came back.
    """
    yield from _done_without_a_number(withdrawal)
    statuses = _may_have_left()
    payouts = Payout.objects.filter(amount=withdrawal.amount, status__in=statuses)
    refunds = Refund.objects.owed().filter(
        amount=withdrawal.amount, status__in=statuses, way=RefundMethod.B2C
    )
    refunds = refunds.exclude(receipt__paid_at__gte=withdrawal.left_at)
    for row in (*payouts.order_by("pk"), *refunds.order_by("pk")):
        if match_phone(withdrawal.phone, row.phone) == PhoneMatch.AGREES:
            yield row


def _may_have_left() -> tuple[TransferStatus, ...]:
    """What a transfer may say of itself that has left. After a restore that is also that it is due:
    what was sent since the backup is not in it. Else what is due was not sent, and another payment
    of that amount to that phone is not it.
    """
    if PayoutStop.objects.after_a_restore().exists():
        return (TransferStatus.DUE, *MAY_HAVE_LEFT)
    return MAY_HAVE_LEFT


def _done_without_a_number(withdrawal: Withdrawal) -> Iterator[Payout | Refund]:
    """Transfers of this amount to this phone, done without a number, that were under way then."""
    if not _is_full(withdrawal.phone):
        return
    rows = {
        "amount": withdrawal.amount,
        "phone": withdrawal.phone,
        "status": TransferStatus.DONE,
        "number": "",
        "unnumbered": Unnumbered.NOT_TOLD,
        "sent_at__lte": withdrawal.left_at + CLOCKS_DIFFER,
        "done_at__gte": withdrawal.left_at - CLOCKS_DIFFER,
    }
    yield from Payout.objects.filter(**rows).order_by("pk")
    yield from Refund.objects.owed().filter(**rows, way=RefundMethod.B2C).order_by("pk")


@transaction.atomic
def settle_as_payout(withdrawal_id: int, *, seller: User) -> Payout:
    """Record that a withdrawal paid a seller: a payout of theirs that may have left, if one fits.

    Where none fits, what they had is a payout of its own, and a debt until the line it was for is
    fetched again: what is due to them by then is put together anew, less that.

    Raises CannotBeSettled.
    """
    withdrawal = _locked_open(withdrawal_id)
    if not withdrawal.phone or withdrawal.reverses:
        raise CannotBeSettled("It went to nobody's phone: it cannot have paid a seller.")
    fitting = [
        row
        for row in candidates(withdrawal)
        if isinstance(row, Payout) and row.seller_id == seller.pk and not row.awaits_approval
    ]
    payout = fitting[0] if fitting else _advance(withdrawal, seller)
    # Before it is done: whether the number is proven by it depends on what the statement shows.
    _settle(withdrawal, payout)
    mark_done(payout, number=withdrawal.number, amount=withdrawal.amount, text=FOUND)
    if not fitting:
        drop_due_payouts(seller.pk, "What they were sent already is deducted.")
    payout.refresh_from_db()
    return payout


def _advance(withdrawal: Withdrawal, seller: User) -> Payout:
    """A payout for no line that we know of."""
    if not MIN_B2C <= withdrawal.amount <= MAX_B2C:
        raise CannotBeSettled(f"M-Pesa pays out KES {MIN_B2C} to {MAX_B2C} at a time.")
    phone = withdrawal.phone if _is_full(withdrawal.phone) else _likeliest(withdrawal, seller)
    # The seller is locked before their payouts.
    locked_row(User, seller.pk)
    return Payout.objects.create(
        seller=seller,
        phone=phone,
        gross=0,
        amount=withdrawal.amount,
        # It has left: nobody has to approve it.
        approval_above=max(withdrawal.amount, settings.PAYOUT_APPROVAL_ABOVE),
        note="M-Pesa's statement shows that it was sent: for no line that is known of.",
        sent_at=withdrawal.left_at,
    )


def _likeliest(withdrawal: Withdrawal, seller: User) -> str:
    """Of the numbers a seller is paid at, the one that agrees best with what the statement shows of
    it; of equals, the one they were paid at last."""
    sold = SellerShare.objects.filter(seller=seller.pk).order_by("-pk")
    listed = Product.objects.filter(seller=seller.pk).order_by("-pk")
    numbers = [
        *sold.values_list("phone", flat=True)[:NUMBERS_COMPARED],
        *listed.values_list("payment_mpesa_number", flat=True)[:NUMBERS_COMPARED],
    ]
    if not numbers:
        raise CannotBeSettled(
            "The statement shows only a part of the number, and this person sells nothing."
        )
    return max(numbers, key=lambda number: match_phone(withdrawal.phone, number))


@transaction.atomic
def settle_as_refund(withdrawal_id: int, *, receipt_number: str) -> Refund:
    """Record that a withdrawal gave a payment back, or a part of it.

    A refund of it that may have left, if one fits; else what of its order stands without that
    money is written off until it is cancelled, as where M-Pesa takes a payment back by itself.

    Raises CannotBeSettled.
    """
    withdrawal = _locked_open(withdrawal_id)
    receipt = find_receipt(receipt_number)
    if receipt is None:
        raise CannotBeSettled(f"We know of no M-Pesa payment {receipt_number}.")
    if not withdrawal.phone:
        raise CannotBeSettled("It went to nobody's phone: it cannot have given a payment back.")
    try:
        refund = record_refund_found(
            receipt.pk,
            number=withdrawal.number,
            amount=withdrawal.amount,
            phone=withdrawal.phone if _is_full(withdrawal.phone) else payer_phone(receipt),
            text=FOUND,
        )
    except CannotBeReversed as error:
        raise CannotBeSettled(str(error)) from error
    _settle(withdrawal, refund)
    return refund


@transaction.atomic
def settle_as_returned(withdrawal_id: int) -> Receipt:
    """Record that a withdrawal came back whole, and that nobody is owed anything for it: what came
    back is what had left. Returns that receipt.

    What it was sent for was given another way, or is still owed by rows of its own.

    Raises CannotBeSettled where it did not come back, or somebody has decided about what came.
    """
    withdrawal = _locked_open(withdrawal_id)
    receipt = withdrawal.came_back
    if receipt is None:
        raise CannotBeSettled("No statement that was read shows that it came back whole.")
    receipt = locked_row(Receipt, receipt.pk)
    unmatched = Receipt.objects.unmatched().filter(pk=receipt.pk, refunds=None)
    if receipt.verification in DOUBTFUL or not unmatched.exists():
        raise CannotBeSettled("Somebody has decided already about what came back of it.")
    refund = record_refund_found(
        receipt.pk,
        number=withdrawal.number,
        amount=withdrawal.amount,
        phone=withdrawal.phone if _is_full(withdrawal.phone) else "",
        text=CAME_BACK,
    )
    _settle(withdrawal, refund)
    return receipt


@transaction.atomic
def set_withdrawal_aside(withdrawal_id: int) -> Withdrawal:
    """Record that a withdrawal was none of the shop's refunds and payouts. Raises CannotBeSettled.

    What was taken out on the portal is in no book of ours.
    """
    withdrawal = _locked_open(withdrawal_id)
    withdrawal.state, withdrawal.settled_at = WithdrawalState.ASIDE, timezone.now()
    withdrawal.save(update_fields=["state", "settled_at"])
    return withdrawal


def _locked_open(withdrawal_id: int) -> Withdrawal:
    withdrawal = locked_row(Withdrawal, withdrawal_id)
    if not withdrawal.is_open:
        raise CannotBeSettled("Somebody has said already what it was.")
    return withdrawal


def _settle(withdrawal: Withdrawal, row: MoneyOut | None) -> None:
    withdrawal.settled_at = timezone.now()
    if isinstance(row, Payout):
        withdrawal.state, withdrawal.payout = WithdrawalState.PAYOUT, row
    elif isinstance(row, Refund):
        withdrawal.state, withdrawal.refund = WithdrawalState.REFUND, row
    withdrawal.save(update_fields=["state", "payout", "refund", "settled_at"])
    logger.warning("withdrawal %s of KES %s: %s", withdrawal.number, withdrawal.amount, row)


def _is_full(phone: str) -> bool:
    try:
        return normalise_phone(phone) == phone
    except ValueError:
        return False
