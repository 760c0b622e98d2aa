"""How a problem ends: what staff, or the seller by themselves, decide about it, and why.

Each decision is one transaction through the services there are: goods are cancelled as staff cancel
them, and their money follows the line (payments.signals). None is made twice: of two at once the
second finds the problem closed.

Locks: the seller, where it is they who give money back; the order, its line, the problem; then what
follows a line, and its goods.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.locking import locked_row
from omachemainproj.money import format_kes
from orders.fulfilment import cancel_locked, lock_line
from orders.models import (
    OrderTrack,
    Outcome,
    Party,
    PriceReduction,
    Problem,
    ProblemState,
    TrackStatus,
    commission_of_reduction,
)
from orders.models.notifications import NotificationKind
from orders.notifications.notify import notify

from .sellers_word import require_cover
from .services import ProblemClosed, write


class NothingToBringBack(Refusal):
    """The goods have not left their seller."""

    code = "nothing_to_bring_back"
    message = "The goods have not left the seller: refund them, or wait."


class NotReturning(Refusal):
    """Nobody decided that the goods come back first."""

    code = "problem_not_returning"
    message = "Nobody decided that the goods are to come back."


class AlreadyReturning(Refusal):
    """It was decided before that the goods come back first."""

    code = "problem_returning"
    message = "The goods are to come back already."


class Decider(NamedTuple):
    """Who decides, on whose behalf, and why: buyer and seller read that."""

    person: User
    party: Party
    why: str = ""


@transaction.atomic
def refund_whole(problem_id: int, by: Decider) -> Problem:
    """Give back what is left of a line's price, at once; its goods are not put back into stock.

    Raises ProblemClosed, and ShopDecides for a seller who was paid.
    """
    line, problem = _lock_to_give(problem_id, by)
    _require_cover(line, by, line.rest)
    return _refund_whole(line, problem, by)


@transaction.atomic
def refund_part(problem_id: int, by: Decider, *, amount: int) -> Problem:
    """Reduce a line's price by ``amount`` KES, which go back to the buyer; the goods stay theirs.

    All that is left of the price is a refund of the whole, which cancels the line. Raises
    ProblemClosed, FieldRefusal for more than is left, and ShopDecides for a seller who was paid.
    """
    line, problem = _lock_to_give(problem_id, by)
    if not 1 <= amount <= line.rest:
        refuse_field("amount", f"Give KES 1 to {format_kes(line.rest)}: so much is left of it.")
    _require_cover(line, by, amount)
    if amount == line.rest:
        return _refund_whole(line, problem, by)
    _end(line, problem, Outcome.REDUCED, by, refunded=amount)
    PriceReduction.objects.create(
        track=line,
        problem=problem,
        amount=amount,
        commission=commission_of_reduction(line, amount),
    )
    line.reduced, line.disputed = line.reduced + amount, False
    line.save(update_fields=["reduced", "disputed"])
    return problem


@transaction.atomic
def bring_back(problem_id: int, by: Decider) -> Problem:
    """Decide that the goods come back first, and their money goes back once they are there.

    Raises ProblemClosed, AlreadyReturning, and NothingToBringBack before they were fetched.
    """
    line, problem = _lock(problem_id)
    if problem.state == ProblemState.RETURNING:
        raise AlreadyReturning
    if line.track_status == TrackStatus.PAID:
        raise NothingToBringBack
    problem.state, problem.waiting_since = ProblemState.RETURNING, None
    problem.save(update_fields=["state", "waiting_since"])
    _say(line, problem, ProblemState.RETURNING.value, by, refunded=line.rest)
    return problem


@transaction.atomic
def confirm_return(problem_id: int, by: Decider, *, goods_there: bool) -> Problem:
    """Give back what is left of the price, for the goods are back.

    ``goods_there`` says whether they go back into stock. Raises ProblemClosed, NotReturning, and
    ShopDecides for a seller who was paid.
    """
    line, problem = _lock_to_give(problem_id, by)
    if problem.state != ProblemState.RETURNING:
        raise NotReturning
    _require_cover(line, by, line.rest)
    _end(line, problem, Outcome.RETURNED, by, refunded=line.rest)
    cancel_locked(line, by=by.person, note=_note(problem, by), goods_there=goods_there)
    return problem


@transaction.atomic
def dismiss(problem_id: int, by: Decider) -> Problem:
    """Close a problem without a refund; what its seller is owed may leave. Raises ProblemClosed."""
    line, problem = _lock(problem_id)
    return _release(line, problem, Outcome.DISMISSED, by)


@transaction.atomic
def withdraw(problem_id: int, *, buyer: User) -> Problem:
    """Close a problem as its buyer wishes; what its seller is owed may leave.

    Raises ProblemClosed.
    """
    line, problem = _lock(problem_id)
    return _release(line, problem, Outcome.WITHDRAWN, Decider(buyer, Party.BUYER))


def lock_problem(problem: Problem) -> Problem:
    """A problem, locked after its order and its line. Call inside a transaction."""
    return _lock(problem.pk)[1]


def _lock(problem_id: int) -> tuple[OrderTrack, Problem]:
    """A problem that is undecided, and its line. Raises ProblemClosed."""
    line = lock_line(OrderTrack.objects.get(problems=problem_id))
    problem = locked_row(Problem, problem_id)
    problem.track = line
    if not problem.is_undecided:
        raise ProblemClosed
    return line, problem


def _lock_to_give(problem_id: int, by: Decider) -> tuple[OrderTrack, Problem]:
    """As ``_lock``; a seller first, so that what they owe does not grow meanwhile."""
    if by.party == Party.SELLER:
        locked_row(User, by.person.pk)
    return _lock(problem_id)


def _require_cover(line: OrderTrack, by: Decider, amount: int) -> None:
    if by.party == Party.SELLER:
        require_cover(line, amount)


def _refund_whole(line: OrderTrack, problem: Problem, by: Decider) -> Problem:
    _end(line, problem, Outcome.REFUNDED, by, refunded=line.rest)
    cancel_locked(line, by=by.person, note=_note(problem, by), goods_there=False)
    return problem


def _release(line: OrderTrack, problem: Problem, outcome: Outcome, by: Decider) -> Problem:
    _end(line, problem, outcome, by, refunded=0)
    line.disputed = False
    line.save(update_fields=["disputed"])
    return problem


def _end(
    line: OrderTrack, problem: Problem, outcome: Outcome, by: Decider, *, refunded: int
) -> None:
    """Write down how a problem ended, and tell whom it concerns."""
    problem.state, problem.outcome, problem.ended_by = ProblemState.CLOSED, outcome, by.party
    problem.decided_by, problem.refunded = by.person, refunded
    problem.closed_at, problem.waiting_since = timezone.now(), None
    problem.save(
        update_fields=[
            "state",
            "outcome",
            "ended_by",
            "decided_by",
            "refunded",
            "closed_at",
            "waiting_since",
        ]
    )
    _say(line, problem, outcome.value, by, refunded=refunded)


def _say(line: OrderTrack, problem: Problem, what: str, by: Decider, *, refunded: int) -> None:
    """Add a decision to the thread, and tell buyer and seller of it, but for who decided."""
    write(problem, by=by.person, party=by.party, text=by.why, decided=what)
    for to in (Party.BUYER, Party.SELLER):
        if to != by.party:
            notify(
                NotificationKind.PROBLEM_ENDED,
                key=f"problem_ended:{problem.pk}:{what}:{to}",
                order_id=line.order_id,
                track_id=line.pk,
                to=to,
                about=what,
                amount=refunded,
            )


def _note(problem: Problem, by: Decider) -> str:
    return by.why or f"The {by.party} agreed: {problem.get_kind_display()}."
