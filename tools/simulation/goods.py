"""Activities after a cash-out: money, delivery, problems and payouts, by the people concerned."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from accounts.models import User
from omachemainproj.api.errors import Refusal
from orders.models import OrderTrack, Parcel, TrackStatus
from orders.models.line_status import SOLD_LINE_STATUSES
from payments.delivery_fees import return_fee

from .activity import Activity
from .banks import Banks
from .guests import Guests
from .money_in import MoneyIn
from .money_out import MoneyOut
from .parcels import Parcels
from .payouts import Payouts
from .people import People
from .problems import Problems
from .processes import DatabaseAway
from .shop_people import ShopPeople

if TYPE_CHECKING:
    from .run import Run

#: Probability that an order has a delivery, and the number of events after a step.
BROUGHT, IN_A_STEP = 0.6, (1, 1, 2, 3, 4)
SMS_FAULTS: list[dict[str, Any]] = [
    {"report": "Failed"},
    {"report": "Failed"},
    {"report": "Rejected"},
    {"report": "Buffered"},
    {"report": "Failed", "callback_before_answer": True},
    {"callbacks": 0},
    {"callbacks": 3, "together": True},
    {"callback_delay": 900.0},
    {"answer": "nothing"},
    {"answer": "half"},
    {"refuse": "unavailable"},
    {"outcome": "403"},
    {"outcome": "405"},
]
#: The next status of a line by its status, for goods no agent brings.
NEXT = {
    TrackStatus.PAID: TrackStatus.FETCHED,
    TrackStatus.FETCHED: TrackStatus.SHIPPING,
    TrackStatus.SHIPPING: TrackStatus.DELIVERED,
}


@dataclass
class Lines(Activity):
    """What its buyer, its seller or support do with a single line."""

    WEIGHTS: ClassVar[dict[str, int]] = {
        "onwards": 6,
        "buyer_cancels": 2,
        "seller_cancels": 2,
        "seller_hands_over": 4,
        "buyer_has_it": 2,
        "support_cancels": 2,
        "fee_back": 1,
        "review": 2,
        "a_day_passes": 2,
        "sms_fault": 2,
    }

    def onwards(self) -> None:
        if line := self._some(*NEXT):
            to = NEXT[TrackStatus(line.track_status)]
            self._move(line, to, self.chance.choice(self.people.support))

    def buyer_cancels(self) -> None:
        if line := self._some(TrackStatus.PAID):
            self._move(line, TrackStatus.CANCELLED, line.buyer)

    def seller_cancels(self) -> None:
        if line := self._some(TrackStatus.PAID):
            there = self.chance.choice([True, False])
            self._move(line, TrackStatus.CANCELLED, line.seller, goods_there=there)

    def seller_hands_over(self) -> None:
        """Hand over goods without a delivery for the buyer's code."""
        if line := self._some(TrackStatus.PAID, parcel=None):
            code = line.collection_code if self.chance.happens(0.9) else "000000"
            self._move(line, TrackStatus.DELIVERED, line.seller, code=code)

    def buyer_has_it(self) -> None:
        if line := self._some(TrackStatus.FETCHED, TrackStatus.SHIPPING):
            self._move(line, TrackStatus.DELIVERED, line.buyer)

    def support_cancels(self) -> None:
        if line := self._some(*SOLD_LINE_STATUSES):
            by, there = self.chance.choice(self.people.support), self.chance.choice([True, False])
            self._move(line, TrackStatus.CANCELLED, by, goods_there=there)

    def fee_back(self) -> None:
        if parcel := self.one_of(Parcel.objects.all()):
            self.run.log(f"  the fee of {parcel} goes back")
            self.run.processes.run("fee back", self._give_back, parcel.pk)

    def review(self) -> None:
        """A buyer writes a review, and sometimes changes it."""
        if line := self._some(TrackStatus.DELIVERED):
            method = self.chance.choice(["POST", "POST", "PATCH"])
            stars = self.chance.randint(1, 5)
            self.ask(line.buyer, method, f"/track/{line.pk}/review/", {"stars": stars})

    def sms_fault(self) -> None:
        """One of the next SMS, or its delivery report, gets lost."""
        fault = self.chance.choice(SMS_FAULTS)
        self.run.log(f"  SMS: {fault}")
        self.run.safaricom.script(operation="sms", times=self.chance.choice([1, 2]), **fault)

    def a_day_passes(self) -> None:
        if self.chance.happens(0.3):
            self.run.time.advance(self.chance.choice([3, 25]) * 3600.0)
            self.run.tick()
            self.run.finish_statement()

    def _some(self, *statuses: str, **columns: Any) -> OrderTrack | None:
        lines = OrderTrack.objects.filter(track_status__in=statuses, **columns)
        return self.one_of(lines.select_related("buyer", "seller"))

    def _move(self, line: OrderTrack, to: str, by: User, **sent: Any) -> None:
        self.ask(by, "POST", f"/track/{line.pk}/move/", {"to": to, "note": "Seen.", **sent})

    def _give_back(self, parcel_id: int) -> None:
        with suppress(Refusal, DatabaseAway):
            return_fee(parcel_id, by=self.people.support[0], why="It came late.")


@dataclass
class Goods:
    """All of these activities, and the destination of each cash-out."""

    run: Run
    people: ShopPeople

    @cached_property
    def banks(self) -> Banks:
        return Banks(self.run, self.people)

    @cached_property
    def guests(self) -> Guests:
        return Guests(self.run, self.people)

    @cached_property
    def money_in(self) -> MoneyIn:
        return MoneyIn(self.run, self.people)

    @cached_property
    def money_out(self) -> MoneyOut:
        return MoneyOut(self.run, self.people)

    @cached_property
    def _activities(self) -> list[Activity]:
        kinds: tuple[type[Activity], ...] = (Lines, Parcels, Problems, Payouts, People)
        others = [kind(self.run, self.people) for kind in kinds]
        return [*others, self.money_in, self.money_out, self.banks, self.guests]

    def destination(self) -> dict[str, Any] | None:
        """The destination of a cash-out; usually there is one."""
        chance = self.run.goods_chance
        if not chance.happens(BROUGHT):
            return None
        if chance.happens(0.5):
            return {"pickup_point": self.people.pickup_point.pk}
        return {
            "recipient": "Njeri",
            "phone": "0733000111",
            "county": chance.choice(["nairobi", "turkana"]),
            "area": "Milimani",
        }

    def act(self) -> None:
        """Perform a few events, or none."""
        chance = self.run.goods_chance
        choices = [(part, name) for part in self._activities for name in part.WEIGHTS]
        weights = [part.WEIGHTS[name] for part, name in choices]
        for _ in range(chance.choice(IN_A_STEP)):
            part, name = chance.choices(choices, weights=weights)[0]
            self.run.log(f"{name}")
            getattr(part, name)()

    def decide(self) -> None:
        """Finance decide about one payment or transfer."""
        part = self.run.goods_chance.choice((self.money_in, self.money_out))
        part.press_one(part.buttons, part.finance())

    def finish(self) -> None:
        """Have everyone decide what waits for them, so that everything can finish."""
        for part in self._activities:
            part.finish()
