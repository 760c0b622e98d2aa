"""Whose the fee of a parcel is: the buyer's until it is handed over, then the shop's.

Locks: the order, which every fee of its parcels changes under.
"""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from omachemainproj.api.errors import Refusal
from omachemainproj.locking import locked_row
from orders.delivery.fees import was_fetched
from orders.models import FeeReturn, FeeState, Order, OrderTrack, Parcel, TrackStatus

from . import ledger
from .models import RefundReason
from .refunds.services import refund_excess_locked


class NoFeePaid(Refusal):
    """Nothing was paid for bringing the parcel, so there is nothing to give back."""

    code = "no_fee_paid"
    message = "Nothing was paid for bringing this parcel."


def settle_fee(line: OrderTrack) -> None:
    """Say whose the fee of a line's parcel is, once the line is delivered or cancelled.

    It is earned with the first line that is handed over. With the last line that is cancelled it
    goes back, unless one had been fetched: then the way was made, and it is earned. Whoever calls
    refunds what is given back.

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
    """Give the fee of a parcel back to its buyer, as a person decided: held or earned.

    Returns whether it was given back now; False where it had been, or is owed back with its goods.
    Safe to repeat.

    Raises NoFeePaid where it costs nothing, or its order was never paid.
    """
    order = locked_row(Order, Parcel.objects.values_list("order_id", flat=True).get(pk=parcel_id))
    parcel = Parcel.objects.get(pk=parcel_id)
    if parcel.fee_state == FeeState.RETURNED:
        return False
    if not parcel.fee or not (order.is_paid or parcel.fee_state == FeeState.EARNED):
        raise NoFeePaid()
    FeeReturn.objects.create(parcel=parcel, decided_by=by, why=why[:200])
    _move(parcel_id, parcel.fee_state, FeeState.RETURNED)
    if parcel.fee_state == FeeState.EARNED:
        ledger.post_fee_back(parcel)
    refund_excess_locked(order, given_back=RefundReason.FEE)
    return True


def _earn(parcel_id: int) -> None:
    if _move(parcel_id, FeeState.HELD, FeeState.EARNED):
        ledger.post_fee(Parcel.objects.get(pk=parcel_id))


def _move(parcel_id: int, before: str, after: str) -> bool:
    """Move a fee on, if it is still where it was; return whether it was."""
    return bool(Parcel.objects.filter(pk=parcel_id, fee_state=before).update(fee_state=after))
