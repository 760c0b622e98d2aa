"""What follows a line: its seller is owed for it once it is fetched, less once its price is
reduced, and no more once it is cancelled; that is held back while its buyer has a problem with it.
The fee of its parcel goes its way (payments.delivery_fees).

Locks: the order, its line, the share; and the seller before any share where payouts are made.
"""

from __future__ import annotations

from django.db.models import Sum
from django.utils import timezone

from omachemainproj.background import enqueue_after_commit
from omachemainproj.locking import locked_row
from orders.models import OrderTrack, TrackStatus
from payments import ledger
from payments.delivery_fees import settle_fee
from payments.models import RefundReason, SellerShare
from payments.refunds.services import refund_excess_locked

from .services import HELD_BACK, create_payouts, drop_unsent


def update_seller_earnings(line: OrderTrack) -> None:
    """Credit a line's seller once it is fetched; undo that and refund once it is cancelled.

    The fee of its parcel is earned once it is delivered, or given back with the last line.

    Call inside a transaction that holds the lock of its order. Safe to repeat.
    """
    if line.returned and line.track_status == TrackStatus.CANCELLED:
        _reverse_earning(line)
        settle_fee(line)
        refund_excess_locked(line.order, returned=line)
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
    """What was taken off the price of a line before its goods were fetched, off either part."""
    if not line.reduced:
        return {}
    kept = line.reductions.aggregate(total=Sum("commission"))["total"]
    return {"reduced": line.reduced - kept, "commission_reduced": kept}


def _reverse_earning(line: OrderTrack) -> None:
    """Undo a seller's share of a line. What was paid out to them already is their debt."""
    share = _locked_share(line)
    if share is None:
        return
    share.reversed_at = timezone.now()
    share.save(update_fields=["reversed_at"])
    ledger.post_return(share, order_id=line.order_id)
    if share.payout_id is not None:
        drop_unsent(share.payout_id, "A line it was for was cancelled.")
    enqueue_after_commit(create_payouts, share.seller_id)


def follow_problem(line: OrderTrack) -> None:
    """Hold back what a line's seller is owed while a problem with it is undecided; then let it go.

    What has left already has left (payments.backoffice.problem_page says so to staff). Call inside
    a transaction that holds the lock of its order. Safe to repeat.
    """
    share = _locked_share(line)
    if share is None:
        return
    if line.disputed and share.payout_id is not None:
        drop_unsent(share.payout_id, HELD_BACK)
    # Its payout's other shares leave with another; or itself, once it may.
    enqueue_after_commit(create_payouts, share.seller_id)


def follow_reductions(line: OrderTrack) -> None:
    """Take what a line's price was reduced by from its seller and from the shop, once its goods
    were fetched, and give it back to the buyer.

    What was paid out to the seller already is their debt. Call inside a transaction that holds the
    lock of its order. Safe to repeat.
    """
    share = _locked_share(line)
    if share is not None:
        _reduce(share, line)
    refund_excess_locked(line.order, given_back=RefundReason.REDUCED, of=line)


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
        drop_unsent(share.payout_id, "The price of a line it was for was reduced.")
    enqueue_after_commit(create_payouts, share.seller_id)


def _locked_share(line: OrderTrack) -> SellerShare | None:
    """What a line's seller is owed for it, locked; None where they are owed nothing."""
    owed = SellerShare.objects.owed().filter(track=line)
    share_id = owed.values_list("pk", flat=True).first()
    return locked_row(SellerShare, share_id) if share_id is not None else None
