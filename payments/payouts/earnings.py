"""What follows a line: its seller is owed for it once it is fetched, and no more once it is
cancelled; the fee of its parcel goes its way (payments.delivery_fees).

Locks: the order, its line, the share; and the seller before any share where payouts are made.
"""

from __future__ import annotations

from django.utils import timezone

from omachemainproj.background import enqueue_after_commit
from omachemainproj.compiled_queries import locked_row
from orders.models import OrderTrack, TrackStatus
from payments import ledger
from payments.delivery_fees import settle_fee
from payments.models import Payout, SellerShare, TransferStatus
from payments.refunds.services import refund_excess_locked

from .services import create_payouts


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
    )
    ledger.post_sale(share, order_id=line.order_id)
    enqueue_after_commit(create_payouts, line.seller_id)


def _reverse_earning(line: OrderTrack) -> None:
    """Undo a seller's share of a line. What was paid out to them already is their debt."""
    share_id = SellerShare.objects.owed().filter(track=line).values_list("pk", flat=True).first()
    if share_id is None:
        return
    share = locked_row(SellerShare, share_id)
    share.reversed_at = timezone.now()
    share.save(update_fields=["reversed_at"])
    ledger.post_return(share, order_id=line.order_id)
    if share.payout_id is not None:
        _cancel_unsent(share.payout_id)
    enqueue_after_commit(create_payouts, share.seller_id)


def _cancel_unsent(payout_id: int) -> None:
    """Cancel an unsent payout. create_payouts puts its other shares into another."""
    # By its own row: were it found through its shares, PostgreSQL would not look at its status
    # again after waiting for whoever was sending it.
    unsent = Payout.objects.filter(pk=payout_id, status=TransferStatus.DUE)
    unsent.update(
        status=TransferStatus.DROPPED, next_check_at=None, note="A line it was for was cancelled."
    )
