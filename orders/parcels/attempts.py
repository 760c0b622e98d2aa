"""Parcels that were brought to a door and not handed over: on record, and their buyer is told."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.backoffice.conflicts import refuse_conflicts
from accounts.models import User
from orders.claims import ClaimedByAnother, lock_parcel
from orders.fulfilment import NotAllowed, Role, powers_of
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

#: Within this time one way to a door was made, however often it is said: the press is repeated on a
#: bad line, and nobody's phone is to be filled with messages.
ONE_WAY = timedelta(hours=1)

#: Why, as the buyer's message says it.
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
def record_attempt(parcel_id: int, reason: str, *, by: User, note: str = "") -> Parcel:
    """Record that a parcel was brought to its door in vain, tell its buyer, and return it.

    ``reason`` is an AttemptReason. Its agent says so, or staff who decide about lines, while it is
    on its way to an address. Nothing else changes: it is with who has it, and the code goes on
    working. Safe to repeat: what is said again within an hour changes nothing.

    Raises Parcel.DoesNotExist for somebody it does not concern, ConflictOfInterest, NotAllowed and
    ClaimedByAnother.
    """
    parcel = lock_parcel(parcel_id)
    refuse_conflicts(by, parcel)
    _require_carrier(parcel, by)
    lines = lines_of(parcel)
    statuses = {line.track_status for line in lines}
    status = status_of_parcel(statuses, has_arrived=parcel.arrived_at is not None)
    if parcel.order.delivery.way != DeliveryWay.HOME:
        raise NotAllowed("It goes to a pick-up point, and to no door.")
    if status != ParcelStatus.SHIPPING:
        raise NotAllowed("The parcel is not on its way to a door.")
    if _was_there(parcel):
        return parcel
    event = ParcelEvent.objects.create(
        parcel=parcel,
        step=ParcelStep.ATTEMPTED,
        agent_id=parcel.agent_id,
        actor=by,
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


def _require_carrier(parcel: Parcel, by: User) -> None:
    """Raise unless a person has the parcel in their hands, or decides about lines."""
    powers = powers_of(by)
    if not powers:
        raise Parcel.DoesNotExist(f"no parcel {parcel.pk} for {by}")
    if Role.STAFF in powers or parcel.agent_id == by.pk:
        return
    if parcel.agent_id is None:
        raise NotAllowed("Who brings it says that it could not be handed over.")
    raise ClaimedByAnother


def _was_there(parcel: Parcel) -> bool:
    since = timezone.now() - ONE_WAY
    return parcel.events.attempts().filter(created_at__gt=since).exists()
