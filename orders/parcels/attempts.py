"""Failed deliveries to an address: recorded, and the buyer is notified."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.backoffice.conflicts import refuse_conflicts
from accounts.models import User
from orders.claims import ClaimedByAnother, lock_parcel
from orders.fulfilment import NotAllowed
from orders.line_moves import Role, staff_roles_of
from orders.models import (
    AttemptReason,
    DeliveryWay,
    Parcel,
    ParcelEvent,
    ParcelStatus,
    ParcelStep,
    TrackStatus,
    status_of_parcel,
)
from orders.models.notifications import Notice, NotificationKind
from orders.notifications.notify import notify_all

from .moves import lines_of

#: Reports within this time count as one attempt: buttons are pressed repeatedly on a bad line, and
#: the buyer should get one message.
ATTEMPT_WINDOW = timedelta(hours=1)

#: The reasons as worded in the buyer's message.
_WHY = {
    AttemptReason.NOBODY_THERE: {
        "en": "nobody was there",
        "sw": "hakukuwa na mtu wa kuipokea",
    },
    AttemptReason.NOT_FOUND: {
        "en": "we did not find the place",
        "sw": "hatukupata mahali penyewe",
    },
    AttemptReason.ANOTHER_TIME: {
        "en": "you asked for another time",
        "sw": "uliomba wakati mwingine",
    },
    AttemptReason.NO_CODE: {
        "en": "you had no code",
        "sw": "hukuwa na nambari ya siri",
    },
}


@transaction.atomic
def record_attempt(parcel_id: int, reason: str, *, actor: User, note: str = "") -> Parcel:
    """Record a failed delivery of a parcel, notify its buyer, and return the parcel.

    ``reason`` is an AttemptReason. For its agent, or staff who may decide about lines, while it is
    on its way to an address. Nothing else changes: it stays with its agent, and the code remains
    valid. Safe to repeat: another report within an hour changes nothing.

    Raises Parcel.DoesNotExist for users without a role for it, ConflictOfInterest, NotAllowed and
    ClaimedByAnother.
    """
    parcel = lock_parcel(parcel_id)
    refuse_conflicts(actor, parcel)
    _require_carrier(parcel, actor)
    lines = lines_of(parcel)
    statuses = {line.track_status for line in lines}
    status = status_of_parcel(statuses, has_arrived=parcel.arrived_at is not None)
    if parcel.order.delivery.way != DeliveryWay.HOME:
        raise NotAllowed("This parcel goes to a pick-up point, not to an address.")
    if status != ParcelStatus.SHIPPING:
        raise NotAllowed("This parcel is not out for delivery.")
    if was_attempted(parcel):
        return parcel
    event = ParcelEvent.objects.create(
        parcel=parcel,
        step=ParcelStep.ATTEMPTED,
        agent_id=parcel.agent_id,
        actor=actor,
        reason=reason,
        note=note[:200],
    )
    kind = NotificationKind.ATTEMPTED
    notify_all(
        [
            Notice(
                kind=kind,
                key=f"{kind}:{event.pk}:track:{line.pk}",
                order_id=line.order_id,
                track_id=line.pk,
                facts={"why": _WHY[AttemptReason(reason)]},
            )
            for line in lines
            if line.track_status == TrackStatus.SHIPPING
        ]
    )
    return parcel


def _require_carrier(parcel: Parcel, actor: User) -> None:
    """Raise unless a user is the parcel's agent, or may decide about lines."""
    powers = staff_roles_of(actor)
    if not powers:
        raise Parcel.DoesNotExist(f"no parcel {parcel.pk} for {actor}")
    if Role.STAFF in powers or parcel.agent_id == actor.pk:
        return
    if parcel.agent_id is None:
        raise NotAllowed("Only the agent carrying this parcel can report a failed delivery.")
    raise ClaimedByAnother


def was_attempted(parcel: Parcel) -> bool:
    """Whether a report would count as the last one, made within the hour."""
    since = timezone.now() - ATTEMPT_WINDOW
    return parcel.events.attempts().filter(created_at__gt=since).exists()
