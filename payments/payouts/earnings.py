"""Sellers' earnings follow their lines: credited when the goods are fetched from them, reduced with
the price, reversed when the line is cancelled, and held back while the buyer has a problem with it.
The fee of the line's parcel is settled too (payments.delivery_fees).

Locks: the order, its line, the share; and the seller before any share if payouts are created.
"""

from __future__ import annotations

from django.db.models import Sum
from django.utils import timezone

from omachemainproj.background import enqueue_after_commit
from omachemainproj.locking import lock_row
from orders.models import OrderTrack, TrackStatus
from payments import ledger
from payments.delivery_fees import settle_fee
from payments.models import RefundReason, SellerShare
from payments.refunds.services import refund_excess_locked

from .allocation import create_payouts
from .services import HELD_BACK, drop_unsent_payout


def settle_moved_line(line: OrderTrack) -> None:
    """Credit a line's seller once it is fetched; reverse that and refund once it is cancelled.

    The fee of its parcel is earned once it is delivered, or given back with the last line.

    Call inside a transaction that holds the lock of its order. Safe to repeat.
    """
    if line.returned and line.track_status == TrackStatus.CANCELLED:
        _reverse_earning(line)
        settle_fee(line)
        refund_excess_locked(line.order, cancelled_line=line)
    elif line.track_status == TrackStatus.FETCHED:
        _record_earning(line)
    elif line.track_status == TrackStatus.DELIVERED:
        settle_fee(line)


def _record_earning(line: OrderTrack) -> None:
    if SellerShare.objects.filter(track=line).exists():
        return
    share = SellerShare.objects.create(
        track=line,
        seller_id=line.seller_id,
        phone=line.payment_mpesa_number,
        sold_for=line.amount,
        commission=line.commission,
        amount=line.share,
        **_reduced_before(line),
    )
    ledger.post_sale(share, order_id=line.order_id)
    enqueue_after_commit(create_payouts, line.seller_id)


def _reduced_before(line: OrderTrack) -> dict[str, int]:
    """Reductions of a line's price from before its goods were fetched, per part, KES."""
    if not line.reduced:
        return {}
    commission_part = line.reductions.aggregate(total=Sum("commission"))["total"]
    return {"reduced": line.reduced - commission_part, "commission_reduced": commission_part}


def _reverse_earning(line: OrderTrack) -> None:
    """Reverse a seller's share of a line. What was paid out already becomes their debt."""
    share = _locked_share(line)
    if share is None:
        return
    share.reversed_at = timezone.now()
    share.save(update_fields=["reversed_at"])
    ledger.post_return(share, order_id=line.order_id)
    if share.payout_id is not None:
        drop_unsent_payout(share.payout_id, "One of its order items was cancelled.")
    enqueue_after_commit(create_payouts, share.seller_id)


def follow_problem(line: OrderTrack) -> None:
    """Hold back a line's earnings while a problem with it is undecided; release them after that.

    What was paid out stays paid out (payments.backoffice.problem_page shows this to staff). Call
    inside a transaction that holds the lock of its order. Safe to repeat.
    """
    share = _locked_share(line)
    if share is None:
        return
    if line.disputed and share.payout_id is not None:
        drop_unsent_payout(share.payout_id, HELD_BACK)
    # Its payout's other shares leave with another payout; so does this one, once it may.
    enqueue_after_commit(create_payouts, share.seller_id)


def follow_reductions(line: OrderTrack) -> None:
    """Deduct a reduction of a line's price from its seller and the shop, if its goods were
    fetched, and refund it to the buyer.

    What was paid out to the seller already becomes their debt. Call inside a transaction that holds
    the lock of its order. Safe to repeat.
    """
    share = _locked_share(line)
    if share is not None:
        _reduce(share, line)
    refund_excess_locked(line.order, reason=RefundReason.REDUCED, line=line)


def _reduce(share: SellerShare, line: OrderTrack) -> None:
    counted, total = share.reduced + share.commission_reduced, 0
    if counted == line.reduced:
        return
    for reduction in line.reductions.order_by("pk"):
        total += reduction.amount
        if total > counted:
            share.reduced += reduction.amount - reduction.commission
            share.commission_reduced += reduction.commission
            ledger.post_reduction(share, reduction, order_id=line.order_id)
    share.save(update_fields=["reduced", "commission_reduced"])
    if share.payout_id is not None:
        drop_unsent_payout(share.payout_id, "One of its order items was reduced in price.")
    enqueue_after_commit(create_payouts, share.seller_id)


def _locked_share(line: OrderTrack) -> SellerShare | None:
    """Lock and return a line's share; None if nothing is owed for it."""
    owed = SellerShare.objects.owed().filter(track=line)
    share_id = owed.values_list("pk", flat=True).first()
    return lock_row(SellerShare, share_id) if share_id is not None else None
