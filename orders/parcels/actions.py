"""Actions of agents and staff on whole parcels, in the admin and the API; all are audited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.backoffice.actions import (
    AlreadyDone,
    ApprovalPolicy,
    Handler,
    OptionalReasonForm,
    ReasonForm,
    StaffAction,
    perform,
    register,
)
from accounts.backoffice.approval_limits import Cost
from accounts.models import User
from omachemainproj.locking import lock_row
from orders.claims import DELIVER_PERMISSION, claim_parcel, lock_parcel, release_parcel
from orders.collection_codes import tries_left
from orders.fulfilment_actions import CollectionCode
from orders.line_moves import staff_roles_of
from orders.models import AttemptReason, DeliveryWay, Parcel, ParcelStatus, TrackStatus

from .attempts import record_attempt, was_attempted
from .moves import has_reached, lines_of, move_parcel


class HandOverForm(OptionalReasonForm):
    """The buyer's code for any line of the parcel; staff may give a reason instead."""

    code = CollectionCode(
        required=False,
        max_length=40,
        label="Collection code",
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )


class AttemptForm(OptionalReasonForm):
    """The reason for a failed delivery; the buyer is notified."""

    reason = forms.ChoiceField(
        choices=[("", "Say why"), *AttemptReason.choices], label="What happened"
    )


def _claim(parcel: Parcel, given: Mapping[str, Any], by: User) -> str:
    # Locked as in claim_parcel: of two presses at once, the second finds the first one's claim.
    lock_row(User, by.pk)
    was_theirs = Parcel.objects.claimed_by(by).filter(pk=parcel.pk).exists()
    claim_parcel(parcel.pk, agent=by)
    if was_theirs:
        raise AlreadyDone("It is yours already")
    return "It is yours to fetch"


def _release(parcel: Parcel, given: Mapping[str, Any], by: User) -> str:
    was_free = lock_parcel(parcel.pk).agent_id is None
    release_parcel(parcel.pk, actor=by, note=given["why"])
    if was_free:
        raise AlreadyDone("It is free already")
    return "It is free for other agents"


def _move(to: ParcelStatus) -> Handler:
    """A handler that moves a parcel to this status, and says so if it was there before."""

    def do(parcel: Parcel, given: Mapping[str, Any], by: User) -> None:
        # Codes are checked outside of a transaction (collection_codes), so nothing is locked then.
        locked = parcel if to == ParcelStatus.DELIVERED else lock_parcel(parcel.pk)
        was_there = has_reached(locked, to)
        code = given.get("code", "")
        move_parcel(parcel.pk, to, actor=by, note=given["why"], code=code)
        if was_there:
            raise AlreadyDone(
                f"{MOVES[to].label}: this was recorded already. Nothing was done twice"
            )

    return do


def _attempt(parcel: Parcel, given: Mapping[str, Any], by: User) -> str:
    was_recorded = was_attempted(lock_parcel(parcel.pk))
    record_attempt(parcel.pk, given["reason"], actor=by, note=given["why"])
    if was_recorded:
        raise AlreadyDone("A failed attempt was recorded within the last hour. Nothing was added")
    return "The failed attempt is recorded, and the buyer is notified"


def _price_of_fetching(parcel: Parcel, given: Mapping[str, Any]) -> Cost:
    """The seller's earnings, which can be paid out from then on."""
    paid = [line for line in lines_of(parcel) if line.track_status == TrackStatus.PAID]
    return Cost(moved=sum(line.share for line in paid))


def _lock(parcel: Parcel) -> Parcel:
    return lock_parcel(parcel.pk)


def _action(
    label: str, do: Any, key: str, form: type[ReasonForm] = OptionalReasonForm, **more: Any
) -> StaffAction:
    return register(StaffAction(label, do, form, key=f"parcel.{key}", **more))


CLAIM = _action("Claim", _claim, "claim")
RELEASE = _action("Release", _release, "release")
ATTEMPT = _action("Record a failed attempt", _attempt, "attempt", AttemptForm)
#: By the status they move a parcel to.
MOVES = {
    ParcelStatus.FETCHED.value: _action(
        "Fetched from the seller",
        _move(ParcelStatus.FETCHED),
        "fetched",
        # Not by another agent: a parcel has one.
        approval=ApprovalPolicy(_price_of_fetching, ("orders.decide_lines",), _lock),
    ),
    ParcelStatus.SHIPPING.value: _action("On the way", _move(ParcelStatus.SHIPPING), "shipping"),
    ParcelStatus.ARRIVED.value: _action(
        "At the pick-up point", _move(ParcelStatus.ARRIVED), "arrived"
    ),
    ParcelStatus.DELIVERED.value: _action(
        "Handed to the buyer",
        _move(ParcelStatus.DELIVERED),
        "delivered",
        HandOverForm,
        own_transaction=True,
    ),
}
#: All actions, by their name in the addresses of the admin page.
ACTIONS = {"claim": CLAIM, "release": RELEASE, "attempt": ATTEMPT, **MOVES}


def move_parcel_for(
    parcel: Parcel, to: str, *, actor: User, note: str = "", code: str = ""
) -> None:
    """Move a parcel for a user of the API; staff and agents as in the admin, audited.

    Raises what ``move_parcel`` raises; for staff and agents also SecondPersonNeeded. Call it
    outside of a transaction.
    """
    if staff_roles_of(actor):
        perform(MOVES[to], parcel, {"why": note, "code": code}, by=actor)
    else:
        move_parcel(parcel.pk, to, actor=actor, note=note, code=code)


#: By status of a parcel: the statuses that may follow.
_NEXT = {
    ParcelStatus.TO_FETCH: ["fetched"],
    ParcelStatus.FETCHED: ["shipping", "arrived", "delivered"],
    ParcelStatus.SHIPPING: ["arrived", "delivered"],
    ParcelStatus.ARRIVED: ["delivered"],
    ParcelStatus.DELIVERED: [],
}


def form_name(parcel: Parcel, key: str) -> str:
    """Return the HTML name of the form of an action on a parcel."""
    return f"parcel-{parcel.pk}-{key}"


def offered(
    parcel: Parcel, status: ParcelStatus, person: User, *, at_point: bool
) -> dict[str, StaffAction]:
    """Return the actions a page offers a user on a parcel; the services check again."""
    delivers, decides = person.has_perm(DELIVER_PERMISSION), person.has_perm("orders.decide_lines")
    is_theirs, is_free = parcel.agent_id == person.pk, parcel.agent_id is None
    keys = [
        key
        for key in _NEXT[status]
        if (key != "arrived" and (is_theirs or (delivers and is_free) or decides))
        or (key == "arrived" and (at_point or decides))
        or (key == "delivered" and at_point)
    ]
    if not decides and tries_left(parcel.code_misses) == 0:
        keys = [key for key in keys if key != "delivered"]
    if status != ParcelStatus.DELIVERED:
        if delivers and is_free:
            keys.insert(0, "claim")
        if (decides and not is_free) or (is_theirs and status == ParcelStatus.TO_FETCH):
            keys.append("release")
    if parcel.order.delivery.way == DeliveryWay.HOME:
        keys = [key for key in keys if key != "arrived"]
        if status == ParcelStatus.SHIPPING and (is_theirs or decides):
            keys.append("attempt")
    return {key: ACTIONS[key] for key in keys}
