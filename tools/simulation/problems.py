"""Problems: buyers report them, sellers agree, goods are returned, support decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from django.db.models import QuerySet

from accounts.models import User
from orders.models import OrderTrack, Problem, ProblemKind, ProblemState
from orders.models.line_status import SOLD_LINE_STATUSES

from .activity import Activity


@dataclass
class Problems(Activity):
    """What buyers, sellers and support do about problems, each through their own interface."""

    WEIGHTS: ClassVar[dict[str, int]] = {
        "report": 4,
        "write": 2,
        "seller_agrees": 4,
        "come_back": 3,
        "withdraw": 1,
        "support_answers": 1,
        "support_decides": 4,
    }

    def report(self) -> None:
        lines = OrderTrack.objects.filter(track_status__in=SOLD_LINE_STATUSES).select_related(
            "buyer"
        )
        if line := self.one_of(lines):
            kind = self.chance.choice(ProblemKind.values)
            sent = {"kind": kind, "text": "It is broken."}
            key = {"Idempotency-Key": f"problem-{self.chance.getrandbits(40)}"}
            self.ask(
                line.buyer, "POST", f"/track/{line.pk}/problem/", sent,
                **(key if self.chance.happens(0.5) else {}),
            )  # fmt: skip

    def write(self) -> None:
        if problem := self._undecided():
            who = self.chance.choice([problem.track.buyer, problem.track.seller])
            said = {"text": self.chance.choice(["Pole.", "When?", "It is the lid."])}
            self.ask(who, "POST", f"{self._path(problem)}/messages/", said)

    def seller_agrees(self) -> None:
        """Agree to a full refund, a partial one, or a return first."""
        if problem := self._undecided():
            how = self.chance.choice(["part", "part", "whole", "back"])
            sent = {"part": {"amount": self._part_of(problem)}, "back": {"bring_back": True}}
            self.ask(
                problem.track.seller, "POST", f"{self._path(problem)}/accept/", sent.get(how, {})
            )

    def come_back(self) -> None:
        """The goods are returned; the seller or support says so."""
        problem = self._some(Problem.objects.filter(state=ProblemState.RETURNING))
        if problem is None:
            return
        there = self.chance.choice([True, False])
        if self.chance.happens(0.7):
            sent = {"goods_there": there, "note": "They are here."}
            self.ask(problem.track.seller, "POST", f"{self._path(problem)}/returned/", sent)
        else:
            self.press("problem.returned", problem, self._support(), goods_there=there)

    def withdraw(self) -> None:
        if problem := self._undecided():
            self.ask(problem.track.buyer, "POST", f"{self._path(problem)}/withdraw/")

    def support_answers(self) -> None:
        if problem := self._undecided():
            self.press("problem.answer", problem, self._support(), text="We are looking into it.")

    def support_decides(self) -> None:
        if problem := self._undecided():
            match self.chance.choice(["refund", "refund", "part", "part", "back", "close"]):
                case "refund":
                    fee = self.chance.happens(0.3)
                    self.press("problem.refund", problem, self._support(), with_fee=fee)
                case "part":
                    amount = self._part_of(problem)
                    self.press("problem.part", problem, self._support(), amount=amount)
                case how:
                    self.press(f"problem.{how}", problem, self._support())

    def finish(self) -> None:
        for problem in Problem.objects.undecided().select_related("track"):
            self.press("problem.close", problem, self._support())

    def _support(self) -> User:
        return self.chance.choice(self.people.support)

    def _undecided(self) -> Problem | None:
        return self._some(Problem.objects.undecided())

    def _some(self, problems: QuerySet[Problem]) -> Problem | None:
        return self.one_of(problems.select_related("track__buyer", "track__seller"))

    def _part_of(self, problem: Problem) -> int:
        return max(1, int(problem.track.net_amount * self.chance.choice([0.1, 0.5, 1])))

    @staticmethod
    def _path(problem: Problem) -> str:
        return f"/track/{problem.track_id}/problem"
