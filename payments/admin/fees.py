"""Giving a delivery fee back, as staff decide about a line of its parcel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.backoffice.actions import ApprovalPolicy, staff_action
from accounts.backoffice.second_person import Cost
from accounts.models import User
from omachemainproj.money import format_kes
from orders.fulfilment import lock_line
from orders.models import FeeState, OrderTrack
from payments.delivery_fees import NoFeePaid, return_fee


def _price(line: OrderTrack, given: Mapping[str, Any]) -> Cost:
    """The fee, which the shop has earned or would: the buyer has it then."""
    parcel = line.parcel
    if parcel is None or parcel.fee_state == FeeState.RETURNED:
        return Cost()
    return Cost(at_risk=parcel.fee)


def may_return_fee(line: OrderTrack) -> bool:
    """Whether the fee of a line's parcel may be given back; the service decides."""
    parcel = line.parcel
    if parcel is None or not parcel.fee or parcel.fee_state == FeeState.RETURNED:
        return False
    return line.order.is_paid


@staff_action(
    "Give the delivery fee back",
    permissions=["decide"],
    about="The fee of the parcel this line is in goes back to the buyer, once, whether or not it "
    "was handed over. The goods stay as they are.",
    approval=ApprovalPolicy(_price, ("orders.decide_lines",), lock_line),
)
def give_fee_back(line: OrderTrack, given: Mapping[str, Any], by: User) -> str:
    if line.parcel is None:
        raise NoFeePaid()
    if not return_fee(line.parcel.pk, by=by, why=given["why"]):
        return "Its fee was given back before."
    return f"{format_kes(line.parcel.fee)} are owed back."
