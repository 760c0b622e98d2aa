"""Delivery fees: held for the buyer until the parcel is handed over, then earned by the shop.

Locks: the order; its parcels' fees change only under its lock.
"""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from omachemainproj.api.errors import Refusal
from omachemainproj.locking import lock_row
from orders.delivery.fees import was_fetched
from orders.models import FeeReturn, FeeState, Order, OrderTrack, Parcel, TrackStatus

from . import ledger
from .models import RefundReason
from .refunds.services import refund_excess_locked


class NoFeePaid(Refusal):
    """Nothing was paid for the delivery, so there is nothing to give back."""

    code = "no_fee_paid"
    message = "Nothing was paid for the delivery of this parcel."


def settle_fee(line: OrderTrack) -> None:
    """Settle the fee of a line's parcel, once the line is delivered or cancelled.

    It is earned when the first line is handed over. When the last line is cancelled it is given
    back, unless a line had been collected: then the delivery was made, and the fee is earned. The
    caller refunds what is given back.

    Call inside a transaction that holds the lock of its order. Safe to repeat.
    """
    if line.parcel_id is None:
        return
    if line.track_status == TrackStatus.DELIVERED:
        _earn(line.parcel_id)
    elif not OrderTrack.objects.filter(parcel=line.parcel_id).active().exists():
        if was_fetched(line.parcel_id):
            _earn(line.parcel_id)
        else:
            _move(line.parcel_id, FeeState.HELD, FeeState.RETURNED)


@transaction.atomic
def return_fee(parcel_id: int, *, by: User, why: str) -> bool:
    """Give the fee of a parcel back to its buyer, as staff decided, held or earned.

    Returns whether it was given back now; False if it had been before, or is refunded with its
    goods. Safe to repeat.

    Raises NoFeePaid if the delivery is free, or its order was never paid.
    """
    order = lock_row(Order, Parcel.objects.values_list("order_id", flat=True).get(pk=parcel_id))
    parcel = Parcel.objects.get(pk=parcel_id)
    if parcel.fee_state == FeeState.RETURNED:
        return False
    if not parcel.fee or not (order.is_paid or parcel.fee_state == FeeState.EARNED):
        raise NoFeePaid()
    FeeReturn.objects.create(parcel=parcel, decided_by=by, why=why[:200])
    _move(parcel_id, parcel.fee_state, FeeState.RETURNED)
    if parcel.fee_state == FeeState.EARNED:
        ledger.post_fee_back(parcel)
    refund_excess_locked(order, reason=RefundReason.FEE)
    return True


def _earn(parcel_id: int) -> None:
    if _move(parcel_id, FeeState.HELD, FeeState.EARNED):
        ledger.post_fee(Parcel.objects.get(pk=parcel_id))


def _move(parcel_id: int, before: str, after: str) -> bool:
    """Move a fee to another state, if it is still in this one; return whether it was."""
    return bool(Parcel.objects.filter(pk=parcel_id, fee_state=before).update(fee_state=after))
