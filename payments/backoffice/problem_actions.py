"""The console's buttons about problems with goods: answering and deciding, with a reason.

Each calls one service of orders.problems, which notifies buyer and seller.
"""

from __future__ import annotations

from accounts.backoffice.approval_limits import Cost
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


def _cost_of_full_refund(problem: Problem, given: Given) -> Cost:
    """The rest of the price, and the delivery fee if it is refunded too."""
    parcel = problem.track.parcel if given.get("with_fee") else None
    return _cost_of_refund(problem, problem.track.net_amount + (parcel.fee if parcel else 0))


def _cost_of_partial_refund(problem: Problem, given: Given) -> Cost:
    return _cost_of_refund(problem, given["amount"])


def _cost_of_refund(problem: Problem, amount: int) -> Cost:
    # Until the goods are fetched the seller is owed nothing, so that the shop cannot lose it.
    if problem.track.track_status == TrackStatus.PAID:
        return Cost(moved=amount)
    return Cost(at_risk=amount)


def _cost_of_closing(problem: Problem, given: Given) -> Cost:
    return Cost(moved=problem.track.net_amount)


def _describe_refund(problem: Problem) -> str:
    part = "" if problem.outcome != Outcome.REDUCED else " of the price"
    return f"{format_kes(problem.refunded)}{part} is refunded to the buyer."


@console_action(
    "problem",
    "answer",
    "Answer",
    "Buyer and seller both read it, until the problem is decided. They are notified at most once "
    "an hour.",
    applies=lambda problem: problem.is_undecided,
    form=AnswerForm,
)
def answer_action(problem: Problem, given: Given, by: User) -> str:
    add_message(problem.pk, author=by, party=Party.SHOP, text=given["text"])
    return "Your answer is in the thread."


@console_action(
    "problem",
    "refund",
    "Refund in full",
    "The rest of the price is refunded immediately, and the line is cancelled. The goods are not "
    "put back into stock. If the seller was already paid, they owe it to the shop.",
    applies=lambda problem: problem.is_undecided,
    form=WholeForm,
    cost=_cost_of_full_refund,
    lock=lock_problem,
)
def refund_full_action(problem: Problem, given: Given, by: User) -> str:
    refunded = decisions.refund_whole(problem.pk, _decider(given, by))
    parcel_id = problem.track.parcel_id
    if not given.get("with_fee"):
        return _describe_refund(refunded)
    if parcel_id is None:
        raise NoFeePaid
    return_fee(parcel_id, by=by, why=given["why"])
    return f"{_describe_refund(refunded)} The delivery fee is refunded too."


@console_action(
    "problem",
    "part",
    "Refund a part",
    "The amount is refunded immediately and reduces the price. The buyer keeps the goods, and the "
    "seller is paid the rest. The shop's commission falls with the price.",
    applies=lambda problem: problem.is_undecided,
    form=PartForm,
    cost=_cost_of_partial_refund,
    lock=lock_problem,
)
def refund_part_action(problem: Problem, given: Given, by: User) -> str:
    by_whom = _decider(given, by)
    return _describe_refund(decisions.refund_part(problem.pk, by_whom, amount=given["amount"]))


@console_action(
    "problem",
    "back",
    "Request a return first",
    "No money is sent yet. Once the goods are back, the seller or you confirm it, and the buyer is "
    "refunded.",
    applies=lambda problem: (
        problem.state == ProblemState.OPEN and problem.track.track_status != TrackStatus.PAID
    ),
    form=DecisionForm,
)
def request_return_action(problem: Problem, given: Given, by: User) -> str:
    decisions.request_return(problem.pk, _decider(given, by))
    return "A return is requested. Buyer and seller are notified."


@console_action(
    "problem",
    "returned",
    "The goods are back",
    "The rest of the price is refunded immediately, and the line is cancelled.",
    applies=lambda problem: problem.state == ProblemState.RETURNING,
    form=ReturnForm,
    cost=_cost_of_full_refund,
    lock=lock_problem,
)
def confirm_return_action(problem: Problem, given: Given, by: User) -> str:
    by_whom, there = _decider(given, by), given["goods_there"]
    return _describe_refund(decisions.confirm_return(problem.pk, by_whom, goods_there=there))


@console_action(
    "problem",
    "close",
    "Close without a refund",
    "The seller can then be paid. The buyer may still report another problem in time.",
    applies=lambda problem: problem.is_undecided,
    form=DecisionForm,
    cost=_cost_of_closing,
    lock=lock_problem,
)
def close_action(problem: Problem, given: Given, by: User) -> str:
    decisions.dismiss(problem.pk, _decider(given, by))
    return "The problem is closed."
