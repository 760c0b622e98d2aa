"""Moves a whole parcel: all its lines by the rules of orders.line_moves, or none of them."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.backoffice.conflicts import refuse_conflicts
from accounts.models import User
from orders.claims import lock_parcel
from orders.collection_codes import check_code
from orders.fulfilment import NotAllowed, move_locked, require_allowed
from orders.line_moves import GOODS_MOVED, Role, is_at_point, roles_of
from orders.models import (
    DeliveryWay,
    OrderTrack,
    Parcel,
    ParcelEvent,
    ParcelStatus,
    ParcelStep,
    TrackStatus,
    status_of_parcel,
)
from orders.models.line_status import SOLD_LINE_STATUSES
from orders.models.notifications import Notice, NotificationKind
from orders.notifications.notify import notify_all

#: By target status of a parcel: the status its lines get.
LINE_STATUS = {
    ParcelStatus.FETCHED.value: TrackStatus.FETCHED,
    ParcelStatus.SHIPPING.value: TrackStatus.SHIPPING,
    ParcelStatus.ARRIVED.value: TrackStatus.SHIPPING,
    ParcelStatus.DELIVERED.value: TrackStatus.DELIVERED,
}


def move_parcel(parcel_id: int, to: str, *, actor: User, note: str = "", code: str = "") -> Parcel:
    """Move all lines of a parcel that are behind this status, or none, and return the parcel.

    ``to`` is a ParcelStatus: fetched, shipping, arrived or delivered. Each line moves as in
    ``orders.fulfilment.move_line``, for the same users, with the same proof and record; cancelled
    lines are left alone. For delivered, the code of any line handed over is enough. Arrived is for
    agents of the pick-up point and staff: the lines become shipping, and the buyer is notified
    that the parcel can be collected.

    Safe to repeat. Raises Parcel.DoesNotExist for users without a role for it, ConflictOfInterest,
    NotAllowed, ClaimedByAnother, PaymentInDoubt and FieldRefusal.
    """
    parcel = Parcel.objects.select_related("order").get(pk=parcel_id)
    refuse_conflicts(actor, parcel)
    lines = lines_of(parcel)
    roles = _roles_for(actor, lines)
    if not roles:
        raise Parcel.DoesNotExist(f"no parcel {parcel_id} for {actor}")
    has_code = False
    behind = _lines_before(lines, to)
    if code and to == ParcelStatus.DELIVERED and behind:
        for line in behind:
            require_allowed(line, LINE_STATUS[to], actor=actor, roles=roles)
        check_code(behind, code)
        has_code = True
    return _move(parcel_id, to, actor=actor, roles=roles, note=note, has_code=has_code)


def has_reached(parcel: Parcel, to: str) -> bool:
    """Whether a move to this status would change nothing."""
    if to == ParcelStatus.ARRIVED:
        return parcel.arrived_at is not None
    return not _lines_before(lines_of(parcel), to)


@transaction.atomic
def _move(
    parcel_id: int, to: str, *, actor: User, roles: frozenset[Role], note: str, has_code: bool
) -> Parcel:
    parcel = lock_parcel(parcel_id)
    lines = lines_of(parcel)
    behind = _lines_before(lines, to)
    if to == ParcelStatus.ARRIVED:
        _require_point(parcel, lines, actor, roles)
        roles |= {Role.POINT}
    elif not behind:
        _require_not_past(parcel, lines, to)
    for line in behind:
        move_locked(
            line.pk, LINE_STATUS[to], actor=actor, roles=roles, note=note, has_code=has_code
        )
    if to == ParcelStatus.ARRIVED:
        _arrive(parcel, lines, actor=actor, note=note)
    return parcel


def lines_of(parcel: Parcel) -> list[OrderTrack]:
    """Return the paid, not cancelled lines of a parcel, by id."""
    return list(parcel.lines.filter(track_status__in=SOLD_LINE_STATUSES).order_by("pk"))


def _roles_for(user: User, lines: list[OrderTrack]) -> frozenset[Role]:
    """Return a user's roles for a parcel; empty if it does not concern them."""
    if not lines:
        return frozenset()
    return roles_of(user, max(lines, key=_status_rank))


def _lines_before(lines: list[OrderTrack], to: str) -> list[OrderTrack]:
    """Return the lines that have not reached this parcel status yet."""
    there = SOLD_LINE_STATUSES.index(LINE_STATUS[to])
    return [line for line in lines if _status_rank(line) < there]


def _status_rank(line: OrderTrack) -> int:
    return SOLD_LINE_STATUSES.index(TrackStatus(line.track_status))


def _require_not_past(parcel: Parcel, lines: list[OrderTrack], to: str) -> None:
    """Raise NotAllowed if the parcel is past this status."""
    statuses = {line.track_status for line in lines}
    if LINE_STATUS[to] not in statuses:
        is_at = status_of_parcel(statuses, has_arrived=parcel.arrived_at is not None)
        raise NotAllowed(
            f"The parcel is {is_at} and cannot go back to an earlier status." if is_at else ""
        )


def _require_point(
    parcel: Parcel, lines: list[OrderTrack], by: User, roles: frozenset[Role]
) -> None:
    """Raise NotAllowed unless this user may receive the fetched parcel at its pick-up point."""
    if parcel.order.delivery.way != DeliveryWay.PICKUP:
        raise NotAllowed("This parcel goes to an address, not to a pick-up point.")
    if not roles & {Role.POINT, Role.STAFF} and not is_at_point(by, lines[0]):
        raise NotAllowed("Only staff at the pick-up point can mark the parcel as arrived.")
    if any(line.track_status not in GOODS_MOVED for line in lines):
        raise NotAllowed("Not everything in this parcel has been collected yet.")


def _arrive(parcel: Parcel, lines: list[OrderTrack], *, actor: User, note: str) -> None:
    """Record that a parcel is at its pick-up point, once, and notify its buyer."""
    waiting = [line for line in lines if line.track_status != TrackStatus.DELIVERED]
    new = Parcel.objects.filter(pk=parcel.pk, arrived_at__isnull=True)
    if not waiting or not new.update(arrived_at=timezone.now()):
        return
    parcel.refresh_from_db(fields=["arrived_at"])
    ParcelEvent.objects.create(parcel=parcel, step=ParcelStep.ARRIVED, actor=actor, note=note[:200])
    kind = NotificationKind.ARRIVED
    notify_all(
        [
            Notice(
                kind=kind,
                key=f"{kind}:track:{line.pk}",
                order_id=line.order_id,
                track_id=line.pk,
            )
            for line in waiting
        ]
    )
