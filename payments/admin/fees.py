"""The staff action that refunds the delivery fee of a line's parcel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.backoffice.actions import ApprovalPolicy, staff_action
from accounts.backoffice.approval_limits import Cost
from accounts.models import User
from omachemainproj.money import format_kes
from orders.fulfilment import lock_line
from orders.models import FeeState, OrderTrack
from payments.delivery_fees import NoFeePaid, return_fee


def _cost(line: OrderTrack, given: Mapping[str, Any]) -> Cost:
    """The fee: the shop has earned it, or will, and would lose it."""
    parcel = line.parcel
    if parcel is None or parcel.fee_state == FeeState.RETURNED:
        return Cost()
    return Cost(at_risk=parcel.fee)


def may_return_fee(line: OrderTrack) -> bool:
    """Whether to offer refunding the fee of a line's parcel. The service checks again."""
    parcel = line.parcel
    if parcel is None or not parcel.fee or parcel.fee_state == FeeState.RETURNED:
        return False
    return line.order.is_paid


@staff_action(
    "Refund the delivery fee",
    permissions=["decide"],
    about="The delivery fee of this line's parcel is refunded to the buyer, once, whether or not "
    "it was delivered. The goods are not affected.",
    approval=ApprovalPolicy(_cost, ("orders.decide_lines",), lock_line),
)
def give_fee_back(line: OrderTrack, given: Mapping[str, Any], by: User) -> str:
    if line.parcel is None:
        raise NoFeePaid()
    if not return_fee(line.parcel.pk, by=by, why=given["why"]):
        return "The delivery fee was already refunded."
    return f"{format_kes(line.parcel.fee)} will be refunded."
