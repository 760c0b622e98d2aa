"""What becomes of goods: they are brought somewhere, fetched, handed over, cancelled, given back;
something is wrong with them, and that is settled.

Everything here draws from random numbers of its own, so that a seed of before goods moved plays as
it did (seeds.GOODS_STAND_STILL).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accounts.backoffice.actions import ACTIONS, perform
from accounts.models import User
from omachemainproj.api.errors import Refusal
from orders.fulfilment import move_line
from orders.models import (
    DeliveryRate,
    DeliveryWay,
    OrderTrack,
    Parcel,
    Party,
    PickupPoint,
    Problem,
    TrackStatus,
)
from orders.models.orders import SOLD
from orders.problems.decisions import Decider, refund_part, refund_whole, withdraw
from orders.problems.services import open_problem
from payments.delivery_fees import return_fee

from .processes import DatabaseAway

if TYPE_CHECKING:
    from .run import Run

#: What may happen to goods, and how often each is drawn.
WEIGHTS = {
    "onwards": 10,
    "buyer_cancels": 3,
    "staff_cancel": 2,
    "fee_back": 1,
    "report": 4,
    "settle": 4,
}
#: How often anything happens to goods in a step, and how often an order is brought somewhere.
IN_A_STEP, BROUGHT = 0.5, 0.6
NEXT = {
    TrackStatus.PAID: TrackStatus.FETCHED,
    TrackStatus.FETCHED: TrackStatus.SHIPPING,
    TrackStatus.SHIPPING: TrackStatus.DELIVERED,
}


def open_points() -> User:
    """Make a point, rates, and whoever moves goods and decides about them."""
    PickupPoint.objects.create(
        name="Kilimani Pick-up",
        county="nairobi",
        area="Argwings Kodhek Road",
        opening_hours="Mon–Sat 8:00–19:00",
        phone="254711000111",
    )
    rate = {"county": "", "days": 2}
    DeliveryRate.objects.create(way=DeliveryWay.PICKUP, fee=100, free_above=4000, **rate)
    DeliveryRate.objects.create(way=DeliveryWay.HOME, fee=250, **rate)
    return User.objects.create_superuser("rider")


@dataclass
class Goods:
    """Where goods go, and who moves them."""

    run: Run
    rider: User

    def destination(self) -> dict[str, Any] | None:
        """Where a cash-out says its goods go; mostly somewhere."""
        chance = self.run.goods_chance
        if not chance.happens(BROUGHT):
            return None
        if chance.happens(0.5):
            return {"pickup_point": PickupPoint.objects.get().pk}
        return {
            "recipient": "Njeri",
            "phone": "0733000111",
            "county": chance.choice(["nairobi", "turkana"]),
            "area": "Milimani",
        }

    def act(self) -> None:
        """Let something happen to goods, now and then."""
        chance = self.run.goods_chance
        if chance.happens(IN_A_STEP):
            name = chance.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
            getattr(self, name)()

    def onwards(self) -> None:
        if line := self._some(*NEXT):
            self._move(line, NEXT[TrackStatus(line.track_status)], self.rider)

    def buyer_cancels(self) -> None:
        if line := self._some(TrackStatus.PAID):
            self._move(line, TrackStatus.CANCELLED, line.buyer)

    def staff_cancel(self) -> None:
        if line := self._some(*SOLD):
            self._move(line, TrackStatus.CANCELLED, self.rider)

    def fee_back(self) -> None:
        parcels = list(Parcel.objects.order_by("-pk")[:6])
        if parcels:
            parcel = self.run.goods_chance.choice(parcels)
            self.run.log(f"  the fee of {parcel} goes back")
            self.run.processes.run("fee back", self._give_back, parcel.pk)

    def report(self) -> None:
        if line := self._some(*SOLD):
            self.run.log(f"  {line.buyer} reports a problem with line {line.pk}")
            self.run.processes.run("report", self._report, line.pk, line.buyer)

    def settle(self) -> None:
        """Its seller agrees to all or a part, the shop closes it, or its buyer withdraws it."""
        undecided = list(Problem.objects.undecided().select_related("track").order_by("-pk")[:6])
        if not undecided:
            return
        chance = self.run.goods_chance
        problem = chance.choice(undecided)
        how = chance.choice(["part", "part", "whole", "close", "withdraw"])
        amount = max(1, int(problem.track.rest * chance.choice([0.1, 0.5, 1])))
        self.run.log(f"  {problem} is settled: {how}, {amount}")
        self.run.processes.run(f"settle by {how}", self._settle, problem, how, amount)

    @staticmethod
    def _report(line_id: int, buyer: User) -> None:
        with suppress(Refusal, DatabaseAway):
            open_problem(line_id, buyer=buyer, kind="damaged", text="It is broken.")

    def _settle(self, problem: Problem, how: str, amount: int) -> None:
        with suppress(Refusal, DatabaseAway):
            seller = Decider(problem.track.seller, Party.SELLER, "Pole sana.")
            if how == "part":
                refund_part(problem.pk, seller, amount=amount)
            elif how == "whole":
                refund_whole(problem.pk, seller)
            elif how == "withdraw":
                withdraw(problem.pk, buyer=problem.track.buyer)
            else:
                perform(ACTIONS["console.problem.close"], problem, {"why": "Seen."}, by=self.rider)

    def _some(self, *statuses: str) -> OrderTrack | None:
        lines = OrderTrack.objects.filter(track_status__in=statuses).order_by("-pk")
        newest = list(lines.select_related("buyer")[:6])
        return self.run.goods_chance.choice(newest) if newest else None

    def _move(self, line: OrderTrack, to: str, by: User) -> None:
        self.run.log(f"  line {line.pk}: {line.track_status} → {to} by {by}")
        self.run.processes.run(f"move to {to}", self._moved, line.pk, to, by)

    @staticmethod
    def _moved(line_id: int, to: str, by: User) -> None:
        with suppress(Refusal, DatabaseAway):
            move_line(line_id, to, by=by, note="Seen.")

    def _give_back(self, parcel_id: int) -> None:
        with suppress(Refusal, DatabaseAway):
            return_fee(parcel_id, by=self.rider, why="It came late.")
