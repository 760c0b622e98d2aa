"""Parcels: agents claim and bring them, a kiosk receives them, some doors stay closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from accounts.models import User
from orders.models import (
    AttemptReason,
    DeliveryWay,
    Parcel,
    ParcelStatus,
    TrackStatus,
    status_of_parcel,
)

from .activity import Activity


@dataclass
class Parcels(Activity):
    """What agents, the kiosk and support do with whole parcels, through the API."""

    WEIGHTS: ClassVar[dict[str, int]] = {"bring": 16, "bring_astray": 3, "look": 1}

    def bring(self) -> None:
        """Take a parcel's next step, by the person whose turn it is."""
        parcel = self.one_of(Parcel.objects.to_deliver().select_related("order__delivery", "agent"))
        if parcel is None:
            return
        chance, people = self.chance, self.people
        goes_to_point = parcel.order.delivery.way == DeliveryWay.PICKUP
        agent = parcel.agent or chance.choice(people.agents)
        match self._status(parcel):
            case ParcelStatus.TO_FETCH if parcel.agent is None and chance.happens(0.7):
                self._post(agent, parcel, "claim")
            case ParcelStatus.TO_FETCH if chance.happens(0.15):
                self._post(agent, parcel, "release", {"note": "The motorbike broke."})
            case ParcelStatus.TO_FETCH:
                self._move(agent, parcel, ParcelStatus.FETCHED)
            case ParcelStatus.FETCHED if goes_to_point and chance.happens(0.5):
                self._move(people.point, parcel, ParcelStatus.ARRIVED)
            case ParcelStatus.FETCHED:
                self._move(agent, parcel, ParcelStatus.SHIPPING)
            case ParcelStatus.SHIPPING if goes_to_point:
                self._move(people.point, parcel, ParcelStatus.ARRIVED)
            case ParcelStatus.SHIPPING if chance.happens(0.4):
                self._report_failed_attempt(agent, parcel)
            case _:
                self._move(people.point if goes_to_point else agent, parcel, ParcelStatus.DELIVERED)

    def bring_astray(self) -> None:
        """A random move by a random person: most are refused."""
        parcel = self.one_of(Parcel.objects.select_related("order__delivery"))
        if parcel is None:
            return
        who = self.chance.choice([*self.people.agents, self.people.point, self.people.support[0]])
        match self.chance.randrange(4):
            case 0:
                self._post(who, parcel, "claim")
            case 1:
                self._post(who, parcel, "release", {"note": "Somebody else brings it."})
            case 2:
                self._report_failed_attempt(who, parcel)
            case _:
                self._move(who, parcel, self.chance.choice(list(ParcelStatus)[1:]))

    def look(self) -> None:
        self.ask(
            self.chance.choice([*self.people.agents, self.people.point]), "GET", "/deliveries/"
        )

    def _report_failed_attempt(self, who: User, parcel: Parcel) -> None:
        reason = self.chance.choice(AttemptReason.values)
        self._post(who, parcel, "attempt", {"reason": reason})

    def _move(self, who: User, parcel: Parcel, to: str) -> None:
        sent = {"to": to, "note": "Seen."}
        if to == ParcelStatus.DELIVERED:
            # One code in ten is wrong: after five, only the buyer or support can confirm.
            lines = list(parcel.lines.order_by("pk"))
            sent["code"] = self.chance.choice(lines).collection_code or "000000"
            if self.chance.happens(0.1):
                sent["code"] = "000000"
        self._post(who, parcel, "move", sent)

    def _post(self, who: User, parcel: Parcel, what: str, sent: Any = None) -> None:
        self.ask(who, "POST", f"/deliveries/{parcel.pk}/{what}/", sent or {})

    @staticmethod
    def _status(parcel: Parcel) -> ParcelStatus | None:
        statuses = set(parcel.lines.values_list("track_status", flat=True))
        return status_of_parcel(
            statuses - {TrackStatus.CANCELLED, TrackStatus.REFUNDED},
            has_arrived=parcel.arrived_at is not None,
        )
