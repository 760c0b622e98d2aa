"""What those have in common who act after a sale: how they draw, ask the API and press buttons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet

from accounts.backoffice.actions import ACTIONS, StaffAction, perform
from accounts.models import User
from omachemainproj.api.errors import Refusal

from .chance import Chance
from .processes import DatabaseAway
from .shop import Reply
from .shop_people import ShopPeople

if TYPE_CHECKING:
    from .run import Run

Row = TypeVar("Row", bound=Model)

#: How often somebody sends the same again: the press is repeated on a bad line.
REPEATED = 0.1
#: Of how many of the newest rows one is drawn.
NEWEST = 8


@dataclass
class Activity:
    """One method a thing that can happen; ``WEIGHTS`` says how often each is drawn.

    Everything is drawn from random numbers of its own, so that a seed of before goods moved plays
    as it did (seeds.GOODS_STAND_STILL).
    """

    run: Run
    people: ShopPeople

    WEIGHTS: ClassVar[dict[str, int]] = {}

    def finish(self) -> None:
        """Decide whatever waits for a person: nothing does, of most."""

    @property
    def chance(self) -> Chance:
        return self.run.goods_chance

    def ask(
        self, who: User, method: str, path: str, sent: Any = None, **headers: str
    ) -> Reply | None:
        """Ask the API as somebody; now and then twice. Gives the last answer, None without one."""
        reply = None
        for _ in range(2 if method == "POST" and self.chance.happens(REPEATED) else 1):
            reply = self.run.shop.request(who, method, path, sent, **headers)
            said = f"{reply.status} {json.dumps(reply.body)[:90]}" if reply else "no answer"
            self.run.log(f"  {who} {method} {path} {json.dumps(sent)}: {said}")
        return reply

    def press(self, what: str, row: Model, by: User, **typed: Any) -> None:
        """Press a button of the console about a row, in a process of its own."""
        self.do(ACTIONS[f"console.{what}"], row, by, **typed)

    def do(self, action: StaffAction, row: Model, by: User, **typed: Any) -> None:
        """Do something that staff may, in a process of its own."""
        self.run.log(f"  {by}: {action.label}, {row._meta.model_name} {row.pk} {typed or ''}")
        self.run.processes.run(f"staff: {action.key}", self._perform, action, row, by, typed)

    def _perform(self, action: StaffAction, row: Model, by: User, typed: Mapping[str, Any]) -> None:
        try:
            with suppress(DatabaseAway):
                said = perform(action, row, {"why": "Seen.", **typed}, by=by)
                self.run.log(f"  {said}")
        except Refusal as refusal:
            self.run.log(f"  refused: {refusal}")

    def one_of(self, rows: QuerySet[Row]) -> Row | None:
        """One of the newest of these rows, if there are any."""
        newest = list(rows.order_by("-pk")[:NEWEST])
        return self.chance.choice(newest) if newest else None
