"""Decisions that end a problem, made by staff or by the seller, with a reason.

Each decision is one transaction. Lines are cancelled by orders.fulfilment, and refunds follow in
payments.signals. Of two concurrent decisions the second finds the problem closed.

Locks: the seller, if they give the refund; the order, its line, the problem; then the money and the
stock of the line (docs/architecture.md, Locks).
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from omachemainproj.api.errors import Refusal, refuse_field
from omachemainproj.locking import lock_row
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

from .seller_refund_limit import require_within_limit
from .services import ProblemClosed, write


class NothingToReturn(Refusal):
    """The goods have not left their seller."""

    code = "nothing_to_bring_back"
    message = "The goods have not left the seller yet. Refund them, or wait."


class NotReturning(Refusal):
    """No return of the goods was requested."""

    code = "problem_not_returning"
    message = "No return has been requested for this problem."


class AlreadyReturning(Refusal):
    """A return of the goods was requested before."""

    code = "problem_returning"
    message = "A return has already been requested."


class Decider(NamedTuple):
    """The user who decides, the party they act for, and the reason, shown to buyer and seller."""

    person: User
    party: Party
    why: str = ""


@transaction.atomic
def refund_whole(problem_id: int, decider: Decider) -> Problem:
    """Refund what is left of a line's price immediately; the goods do not go back into stock.

    Raises ProblemClosed, and ShopDecides for a seller who was paid.
    """
    line, problem = _lock_for_decision(problem_id, decider)
    _require_within_limit(line, decider, line.net_amount)
    return _refund_whole(line, problem, decider)


@transaction.atomic
def refund_part(problem_id: int, decider: Decider, *, amount: int) -> Problem:
    """Reduce a line's price by ``amount`` KES and refund that; the buyer keeps the goods.

    An ``amount`` of all that is left is a full refund, which cancels the line. Raises
    ProblemClosed, FieldRefusal for more than is left, and ShopDecides for a seller who was paid.
    """
    line, problem = _lock_for_decision(problem_id, decider)
    if not 1 <= amount <= line.net_amount:
        refuse_field(
            "amount",
            f"Enter an amount between KES 1 and {format_kes(line.net_amount)} (what is left of the "
            "price).",
        )
    _require_within_limit(line, decider, amount)
    if amount == line.net_amount:
        return _refund_whole(line, problem, decider)
    _end(line, problem, Outcome.REDUCED, decider, refunded=amount)
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
def request_return(problem_id: int, decider: Decider) -> Problem:
    """Request a return of the goods; the refund follows with ``confirm_return``.

    Raises ProblemClosed, AlreadyReturning, and NothingToReturn before they were fetched.
    """
    line, problem = _lock(problem_id)
    if problem.state == ProblemState.RETURNING:
        raise AlreadyReturning
    if line.track_status == TrackStatus.PAID:
        raise NothingToReturn
    problem.state, problem.waiting_since = ProblemState.RETURNING, None
    problem.save(update_fields=["state", "waiting_since"])
    _say(line, problem, ProblemState.RETURNING.value, decider, refunded=line.net_amount)
    return problem


@transaction.atomic
def confirm_return(problem_id: int, decider: Decider, *, goods_there: bool) -> Problem:
    """Refund what is left of the price because the goods have been returned.

    ``goods_there``: whether they go back into stock. Raises ProblemClosed, NotReturning, and
    ShopDecides for a seller who was paid.
    """
    line, problem = _lock_for_decision(problem_id, decider)
    if problem.state != ProblemState.RETURNING:
        raise NotReturning
    _require_within_limit(line, decider, line.net_amount)
    _end(line, problem, Outcome.RETURNED, decider, refunded=line.net_amount)
    cancel_locked(line, actor=decider.person, note=_note(problem, decider), goods_there=goods_there)
    return problem


@transaction.atomic
def dismiss(problem_id: int, decider: Decider) -> Problem:
    """Close a problem without a refund and release the seller's money. Raises ProblemClosed."""
    line, problem = _lock(problem_id)
    return _release(line, problem, Outcome.DISMISSED, decider)


@transaction.atomic
def withdraw(problem_id: int, *, buyer: User) -> Problem:
    """Close a problem at its buyer's request and release the seller's money.

    Raises ProblemClosed.
    """
    line, problem = _lock(problem_id)
    return _release(line, problem, Outcome.WITHDRAWN, Decider(buyer, Party.BUYER))


def lock_problem(problem: Problem) -> Problem:
    """Return a problem, locked after its order and line. Call inside a transaction."""
    return _lock(problem.pk)[1]


def _lock(problem_id: int) -> tuple[OrderTrack, Problem]:
    """Return an undecided problem and its line, both locked. Raises ProblemClosed."""
    line = lock_line(OrderTrack.objects.get(problems=problem_id))
    problem = lock_row(Problem, problem_id)
    problem.track = line
    if not problem.is_undecided:
        raise ProblemClosed
    return line, problem


def _lock_for_decision(problem_id: int, decider: Decider) -> tuple[OrderTrack, Problem]:
    """Like ``_lock``; lock a deciding seller first, so that their debt cannot grow meanwhile."""
    if decider.party == Party.SELLER:
        lock_row(User, decider.person.pk)
    return _lock(problem_id)


def _require_within_limit(line: OrderTrack, decider: Decider, amount: int) -> None:
    if decider.party == Party.SELLER:
        require_within_limit(line, amount)


def _refund_whole(line: OrderTrack, problem: Problem, decider: Decider) -> Problem:
    _end(line, problem, Outcome.REFUNDED, decider, refunded=line.net_amount)
    cancel_locked(line, actor=decider.person, note=_note(problem, decider), goods_there=False)
    return problem


def _release(line: OrderTrack, problem: Problem, outcome: Outcome, decider: Decider) -> Problem:
    _end(line, problem, outcome, decider, refunded=0)
    line.disputed = False
    line.save(update_fields=["disputed"])
    return problem


def _end(
    line: OrderTrack, problem: Problem, outcome: Outcome, decider: Decider, *, refunded: int
) -> None:
    """Record how a problem ended and notify the parties."""
    problem.state, problem.outcome, problem.ended_by = ProblemState.CLOSED, outcome, decider.party
    problem.decided_by, problem.refunded = decider.person, refunded
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
    _say(line, problem, outcome.value, decider, refunded=refunded)


def _say(line: OrderTrack, problem: Problem, what: str, decider: Decider, *, refunded: int) -> None:
    """Add a decision to the thread and notify buyer and seller, except the one who decided."""
    write(problem, author=decider.person, party=decider.party, text=decider.why, decided=what)
    for to in (Party.BUYER, Party.SELLER):
        if to != decider.party:
            notify(
                NotificationKind.PROBLEM_ENDED,
                key=f"problem_ended:{problem.pk}:{what}:{to}",
                order_id=line.order_id,
                track_id=line.pk,
                to=to,
                about=what,
                amount=refunded,
            )


def _note(problem: Problem, decider: Decider) -> str:
    return decider.why or f"The {decider.party} agreed: {problem.get_kind_display()}."
