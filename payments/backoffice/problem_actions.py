"""The console's buttons about problems with goods: to answer, and to decide, each with a reason.

Each calls one service of orders.problems; buyer and seller are told by it.
"""

from __future__ import annotations

from accounts.backoffice.second_person import Cost
from accounts.models import User
from omachemainproj.money import format_kes
from orders.models import Outcome, Party, Problem, ProblemState, TrackStatus
from orders.problems import decisions
from orders.problems.decisions import Decider, lock_problem
from orders.problems.services import add_message
from payments.delivery_fees import NoFeePaid, return_fee

from .forms import AnswerForm, DecisionForm, PartForm, ReturnForm, WholeForm
from .kinds import Given, console_action


def _decider(given: Given, by: User) -> Decider:
    return Decider(by, Party.SHOP, given["why"])


def _price_of_all(problem: Problem, given: Given) -> Cost:
    """The buyer's money, which goes back, with the delivery fee if it does; the shop may lose it
    once its seller was paid."""
    parcel = problem.track.parcel if given.get("with_fee") else None
    return _price(problem, problem.track.rest + (parcel.fee if parcel else 0))


def _price_of_part(problem: Problem, given: Given) -> Cost:
    return _price(problem, given["amount"])


def _price(problem: Problem, amount: int) -> Cost:
    if problem.track.track_status == TrackStatus.PAID:
        return Cost(moved=amount)
    return Cost(at_risk=amount)


def _what_its_seller_gets(problem: Problem, given: Given) -> Cost:
    return Cost(moved=problem.track.rest)


def _goes_back(problem: Problem) -> str:
    part = "" if problem.outcome != Outcome.REDUCED else " of the price"
    return f"{format_kes(problem.refunded)}{part} goes back to the buyer."


@console_action(
    "problem",
    "answer",
    "Answer",
    "To buyer and seller alike, while it is undecided. They are told, at most once an hour.",
    applies=lambda problem: problem.is_undecided,
    form=AnswerForm,
)
def answer(problem: Problem, given: Given, by: User) -> str:
    add_message(problem.pk, author=by, party=Party.SHOP, text=given["text"])
    return "It is written into the thread."


@console_action(
    "problem",
    "refund",
    "Refund it whole",
    "What is left of the price goes back at once, and the line is cancelled. The goods are not put "
    "back into stock. What its seller was paid already is their debt.",
    applies=lambda problem: problem.is_undecided,
    form=WholeForm,
    price=_price_of_all,
    lock=lock_problem,
)
def refund(problem: Problem, given: Given, by: User) -> str:
    refunded = decisions.refund_whole(problem.pk, _decider(given, by))
    parcel_id = problem.track.parcel_id
    if not given.get("with_fee"):
        return _goes_back(refunded)
    if parcel_id is None:
        raise NoFeePaid
    return_fee(parcel_id, by=by, why=given["why"])
    return f"{_goes_back(refunded)} So does the delivery fee."


@console_action(
    "problem",
    "part",
    "Refund a part",
    "The price is reduced by it: it goes back at once, the buyer keeps the goods, and the seller "
    "is paid the rest. The shop's commission falls with the price.",
    applies=lambda problem: problem.is_undecided,
    form=PartForm,
    price=_price_of_part,
    lock=lock_problem,
)
def refund_part(problem: Problem, given: Given, by: User) -> str:
    by_whom = _decider(given, by)
    return _goes_back(decisions.refund_part(problem.pk, by_whom, amount=given["amount"]))


@console_action(
    "problem",
    "back",
    "Have the goods brought back first",
    "Nothing moves yet. Once the goods are there, the seller or you say so, and the money goes "
    "back.",
    applies=lambda problem: (
        problem.state == ProblemState.OPEN and problem.track.track_status != TrackStatus.PAID
    ),
    form=DecisionForm,
)
def bring_back(problem: Problem, given: Given, by: User) -> str:
    decisions.bring_back(problem.pk, _decider(given, by))
    return "Buyer and seller are told that the goods come back."


@console_action(
    "problem",
    "returned",
    "The goods are back",
    "What is left of the price goes back at once, and the line is cancelled.",
    applies=lambda problem: problem.state == ProblemState.RETURNING,
    form=ReturnForm,
    price=_price_of_all,
    lock=lock_problem,
)
def goods_are_back(problem: Problem, given: Given, by: User) -> str:
    by_whom, there = _decider(given, by), given["goods_there"]
    return _goes_back(decisions.confirm_return(problem.pk, by_whom, goods_there=there))


@console_action(
    "problem",
    "close",
    "Close it without a refund",
    "What its seller is owed may leave from then on. The buyer may report another problem in time.",
    applies=lambda problem: problem.is_undecided,
    form=DecisionForm,
    price=_what_its_seller_gets,
    lock=lock_problem,
)
def close(problem: Problem, given: Given, by: User) -> str:
    decisions.dismiss(problem.pk, _decider(given, by))
    return "It is closed."
