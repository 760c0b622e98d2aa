"""Moving a whole parcel at once: every line of it through the one table of moves, or none."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.backoffice.conflicts import refuse_conflicts
from accounts.models import User
from orders.claims import lock_parcel
from orders.fulfilment import (
    HANDED_OVER,
    NotAllowed,
    Role,
    check_code,
    is_at_point,
    move_locked,
    require_allowed,
    roles_of,
)
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
from orders.models.notifications import Notice, NotificationKind
from orders.models.orders import SOLD_LINE_STATUSES
from orders.notifications.notify import notify_all

#: Where the lines of a parcel go that goes there.
LINE_STATUS = {
    ParcelStatus.FETCHED.value: TrackStatus.FETCHED,
    ParcelStatus.SHIPPING.value: TrackStatus.SHIPPING,
    ParcelStatus.ARRIVED.value: TrackStatus.SHIPPING,
    ParcelStatus.DELIVERED.value: TrackStatus.DELIVERED,
}


def move_parcel(parcel_id: int, to: str, *, by: User, note: str = "", code: str = "") -> Parcel:
    """Move every line of a parcel that is not there yet, or none of them, and return it.

    ``to`` is a ParcelStatus: fetched, shipping, arrived or delivered. Each line moves as by
    ``orders.fulfilment.move_line``, for the same people, with the same proof and record; cancelled
    lines are left alone. To delivered, the code of any of the lines that are handed over is
    enough. To arrived, which is said by who hands over at its pick-up point, or staff: its lines
    are shipping from then on, and its buyer is told that it waits for them.

    Safe to repeat. Raises Parcel.DoesNotExist for somebody it does not concern, ConflictOfInterest,
    NotAllowed, ClaimedByAnother, PaymentInDoubt and FieldRefusal.
    """
    parcel = Parcel.objects.select_related("order").get(pk=parcel_id)
    refuse_conflicts(by, parcel)
    lines = lines_of(parcel)
    roles = _roles_for(by, lines)
    if not roles:
        raise Parcel.DoesNotExist(f"no parcel {parcel_id} for {by}")
    has_code = False
    behind = _behind(lines, to)
    if code and to == ParcelStatus.DELIVERED and behind:
        for line in behind:
            require_allowed(line, LINE_STATUS[to], by=by, roles=roles)
        check_code(behind, code)
        has_code = True
    return _move(parcel_id, to, by=by, roles=roles, note=note, has_code=has_code)


@transaction.atomic
def _move(
    parcel_id: int, to: str, *, by: User, roles: frozenset[Role], note: str, has_code: bool
) -> Parcel:
    parcel = lock_parcel(parcel_id)
    lines = lines_of(parcel)
    behind = _behind(lines, to)
    if to == ParcelStatus.ARRIVED:
        _require_point(parcel, lines, by, roles)
        roles |= {Role.POINT}
    elif not behind:
        _require_there(parcel, lines, to)
    for line in behind:
        move_locked(line.pk, LINE_STATUS[to], by=by, roles=roles, note=note, has_code=has_code)
    if to == ParcelStatus.ARRIVED:
        _arrive(parcel, lines, by=by, note=note)
    return parcel


def lines_of(parcel: Parcel) -> list[OrderTrack]:
    """The lines of a parcel that are paid for and not cancelled, by id."""
    return list(parcel.lines.filter(track_status__in=SOLD_LINE_STATUSES).order_by("pk"))


def _roles_for(user: User, lines: list[OrderTrack]) -> frozenset[Role]:
    """What a person is to a parcel; empty for somebody it does not concern."""
    if not lines:
        return frozenset()
    return roles_of(user, max(lines, key=_how_far))


def _behind(lines: list[OrderTrack], to: str) -> list[OrderTrack]:
    """The lines that have not come as far as a parcel that goes there."""
    there = SOLD_LINE_STATUSES.index(LINE_STATUS[to])
    return [line for line in lines if _how_far(line) < there]


def _how_far(line: OrderTrack) -> int:
    return SOLD_LINE_STATUSES.index(TrackStatus(line.track_status))


def _require_there(parcel: Parcel, lines: list[OrderTrack], to: str) -> None:
    """Raise NotAllowed for a parcel that is further than it is to go."""
    statuses = {line.track_status for line in lines}
    if LINE_STATUS[to] not in statuses:
        is_at = status_of_parcel(statuses, has_arrived=parcel.arrived_at is not None)
        raise NotAllowed(f"The parcel is {is_at}: it does not go back." if is_at else "")


def _require_point(
    parcel: Parcel, lines: list[OrderTrack], by: User, roles: frozenset[Role]
) -> None:
    """Raise NotAllowed unless a parcel that was fetched can be taken in at its point by them."""
    if parcel.order.delivery.way != DeliveryWay.PICKUP:
        raise NotAllowed("It goes to an address, and to no pick-up point.")
    if not roles & {Role.POINT, Role.STAFF} and not is_at_point(by, lines[0]):
        raise NotAllowed("Who hands over at the pick-up point says that it has arrived.")
    if any(line.track_status not in HANDED_OVER for line in lines):
        raise NotAllowed("Not all of it is fetched yet.")


def _arrive(parcel: Parcel, lines: list[OrderTrack], *, by: User, note: str) -> None:
    """Write down that a parcel is at its point, once, and tell its buyer."""
    waiting = [line for line in lines if line.track_status != TrackStatus.DELIVERED]
    new = Parcel.objects.filter(pk=parcel.pk, arrived_at__isnull=True)
    if not waiting or not new.update(arrived_at=timezone.now()):
        return
    parcel.refresh_from_db(fields=["arrived_at"])
    ParcelEvent.objects.create(parcel=parcel, step=ParcelStep.ARRIVED, actor=by, note=note[:200])
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
