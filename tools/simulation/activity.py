"""Base class for activities after a sale: random choices, API requests, console buttons."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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

#: What is typed into an action's form; None if it is not done with this row.
Typed = dict[str, Any] | None

#: Probability of sending the same request twice, as on a bad connection.
REPEATED = 0.1
#: A row is drawn from this number of newest rows.
NEWEST = 8


@dataclass
class Activity:
    """One method per kind of event; ``WEIGHTS`` says how often each is drawn.

    Everything is drawn from separate random numbers: those of payments stay what they are when a
    shorter run leaves out steps.
    """

    run: Run
    people: ShopPeople

    WEIGHTS: ClassVar[dict[str, int]] = {}

    def finish(self) -> None:
        """Decide everything that waits for staff; most activities have nothing."""

    @property
    def chance(self) -> Chance:
        return self.run.goods_chance

    def ask(
        self, who: User | None, method: str, path: str, sent: Any = None, **headers: str
    ) -> Reply | None:
        """Send an API request as this user, or as nobody, sometimes twice. Returns the last
        answer, or None."""
        reply = None
        for _ in range(2 if method == "POST" and self.chance.happens(REPEATED) else 1):
            reply = self.run.shop.request(who, method, path, sent, **headers)
            result = f"{reply.status} {json.dumps(reply.body)[:90]}" if reply else "no answer"
            self.run.log(f"  {who} {method} {path} {json.dumps(sent)}: {result}")
        return reply

    def press_one(
        self, buttons: Mapping[str, tuple[QuerySet[Any], Callable[[Any], Typed]]], by: User
    ) -> None:
        """Press one of these buttons: a random one that there is a row for.

        Each has its rows, and a function that returns what is typed for a row.
        """
        for what in self.chance.sample(list(buttons), len(buttons)):
            rows, fill_in = buttons[what]
            if (row := self.one_of(rows)) and (typed := fill_in(row)) is not None:
                self.press(what, row, by, **typed)
                return

    def nothing(self, row: Model) -> Typed:
        """What is typed into a form that asks for nothing but the reason."""
        return {}

    def finance(self) -> User:
        return self.chance.choice(self.people.finance)

    def press(self, what: str, row: Model, by: User, **typed: Any) -> None:
        """Press a button of the console for a row, in a separate process."""
        self.do(ACTIONS[f"console.{what}"], row, by, **typed)

    def do(self, action: StaffAction, row: Model, by: User, **typed: Any) -> None:
        """Perform a staff action, in a separate process."""
        self.run.log(f"  {by}: {action.label}, {row._meta.model_name} {row.pk} {typed or ''}")
        self.run.processes.run(f"staff: {action.key}", self._perform, action, row, by, typed)

    def _perform(self, action: StaffAction, row: Model, by: User, typed: Mapping[str, Any]) -> None:
        try:
            with suppress(DatabaseAway):
                result = perform(action, row, {"why": "Seen.", **typed}, by=by)
                self.run.log(f"  {result}")
        except Refusal as refusal:
            self.run.log(f"  refused: {refusal}")

    def one_of(self, rows: QuerySet[Row]) -> Row | None:
        """One of the newest of these rows, if there are any."""
        newest = list(rows.order_by("-pk")[:NEWEST])
        return self.chance.choice(newest) if newest else None
