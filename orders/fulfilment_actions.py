"""Actions of staff and delivery agents on order lines, in the admin and the API.

Each calls ``move_line`` and is audited. Delivering uses ``own_transaction``, because the count of
wrong collection codes has to be committed although the action is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from accounts.backoffice.actions import (
    ApprovalPolicy,
    OptionalReasonForm,
    ReasonForm,
    perform,
    staff_action,
)
from accounts.backoffice.approval_limits import Cost
from accounts.models import User

from .collection_codes import digits_of_code
from .delivery.fees import fee_back_with
from .fulfilment import is_refused_for_own_line, lock_line, move_line
from .line_moves import TRANSITIONS, Role, roles_of
from .models import OrderTrack, TrackStatus

_MOVERS = ("orders.move_track", "orders.decide_lines")


class CollectionCode(forms.CharField):
    """A collection code, with or without spaces and dashes."""

    def to_python(self, value: Any) -> str:
        return digits_of_code(str(super().to_python(value)))


class DeliverForm(ReasonForm):
    """The buyer's code, for a single line; a reason, from users who may decide about lines."""

    code = CollectionCode(
        required=False,
        max_length=40,
        label="Collection code",
        help_text="The six digits the buyer received when they paid.",
    )

    def adapt_to(self, rows: Sequence[Any], by: User) -> None:
        decides, is_one = by.has_perm("orders.decide_lines"), len(rows) == 1
        if not is_one:
            del self.fields["code"]
        if not decides:
            del self.fields["why"]
        elif is_one:
            self.fields["why"].required = False
            self.fields["why"].help_text = "Required without a code: why it counts as delivered."


class CancelForm(ReasonForm):
    """The reason for cancelling a line, and whether its goods go back into stock."""

    goods_there = forms.TypedChoiceField(
        choices=[("", "Choose"), ("yes", "Yes, put them back into stock"), ("no", "No")],
        coerce=lambda typed: typed == "yes",
        label="The goods can be sold again",
    )


def _price_of_fetching(line: OrderTrack, given: Mapping[str, Any]) -> Cost:
    """The seller's earnings, which can be paid out from then on."""
    return Cost(moved=line.share if line.track_status == TrackStatus.PAID else 0)


def _price_of_cancelling(line: OrderTrack, given: Mapping[str, Any]) -> Cost:
    """The refund, with the fee for the last line of a parcel.

    After the goods were fetched it is at risk: the seller may have been paid already.
    """
    if line.track_status == TrackStatus.PAID:
        return Cost(moved=line.net_amount + fee_back_with(line))
    was_fetched = TrackStatus.CANCELLED in TRANSITIONS[line.track_status]
    return Cost(at_risk=line.net_amount if was_fetched else 0)


@staff_action(
    "Fetched from the seller",
    permissions=["move"],
    form=OptionalReasonForm,
    approval=ApprovalPolicy(_price_of_fetching, _MOVERS, lock_line),
)
def to_fetched(line: OrderTrack, given: Mapping[str, Any], by: User) -> None:
    move_line(line.pk, TrackStatus.FETCHED, actor=by, note=given["why"])


@staff_action("On the way to the buyer", permissions=["move"], form=OptionalReasonForm)
def to_shipping(line: OrderTrack, given: Mapping[str, Any], by: User) -> None:
    move_line(line.pk, TrackStatus.SHIPPING, actor=by, note=given["why"])


@staff_action(
    "Handed to the buyer",
    permissions=["move"],
    form=DeliverForm,
    about="Enter the buyer's code, for one line at a time. Staff who may decide about lines can "
    "give a reason instead, also for several lines.",
    own_transaction=True,
)
def to_delivered(line: OrderTrack, given: Mapping[str, Any], by: User) -> None:
    code = given.get("code", "").strip()
    move_line(line.pk, TrackStatus.DELIVERED, actor=by, note=given.get("why", ""), code=code)


@staff_action(
    "Cancel and refund",
    permissions=["decide"],
    form=CancelForm,
    about="The line is refunded to the buyer; the other lines of the order are not affected.",
    approval=ApprovalPolicy(_price_of_cancelling, ("orders.decide_lines",), lock_line),
)
def to_cancelled(line: OrderTrack, given: Mapping[str, Any], by: User) -> None:
    move_line(
        line.pk,
        TrackStatus.CANCELLED,
        actor=by,
        note=given["why"],
        goods_there=given["goods_there"],
    )


#: Actions by the status they move a line to.
ACTIONS: dict[str, Any] = {
    TrackStatus.FETCHED: to_fetched,
    TrackStatus.SHIPPING: to_shipping,
    TrackStatus.DELIVERED: to_delivered,
    TrackStatus.CANCELLED: to_cancelled,
}


def move_line_for(
    line: OrderTrack,
    to: str,
    *,
    actor: User,
    note: str = "",
    code: str = "",
    goods_there: bool | None = None,
) -> None:
    """Move a line for a user of the API; staff and agents as in the admin, audited.

    Raises what ``move_line`` raises; for staff and agents also SecondPersonNeeded. Call it outside
    of a transaction.
    """
    is_staff = roles_of(actor, line) & {Role.STAFF, Role.AGENT} or is_refused_for_own_line(
        actor, line, to
    )
    if not is_staff or line.track_status == to:
        move_line(line.pk, to, actor=actor, note=note, code=code, goods_there=goods_there)
        return
    given = {"why": note, "code": code, "goods_there": goods_there}
    perform(ACTIONS[to].staff_action, line, given, by=actor)


def actions_for(line: OrderTrack, person: User) -> list[tuple[str, str]]:
    """Return names and labels of the actions this user may use on a line in its current status."""
    roles = roles_of(person, line) & {Role.STAFF, Role.AGENT}
    ways = TRANSITIONS[line.track_status]
    return [
        (action.__name__, action.short_description)
        for to, action in ACTIONS.items()
        if ways.get(to, frozenset()) & roles
    ]
