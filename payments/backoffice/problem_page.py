"""The console's facts about a problem: the line, the people, the seller's money, the thread."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count
from django.utils import timezone

from accounts.backoffice.formats import dial, write_moment
from omachemainproj.money import format_kes
from orders.models import Problem, ProblemMessage
from orders.problems.queries import thread_of
from payments.models import SellerShare, TransferStatus

from .goods_queues import late_problems

#: Where a seller's earnings are, by the status of their payout.
_MONEY = {
    TransferStatus.UNKNOWN: "may have been sent; M-Pesa is queried. It can no longer be withheld.",
    TransferStatus.SENT: "is being sent. It can no longer be withheld.",
    TransferStatus.DONE: "was paid. A refund now becomes the seller's debt.",
}


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """The content of a problem's page, without its buttons and history."""

    facts: list[tuple[str, str]]
    thread: list[ProblemMessage]
    is_late: bool


def describe_problem(problem: Problem) -> ProblemPage:
    """All facts needed for a decision. A constant number of queries."""
    line = problem.track
    buyer, seller = line.buyer, line.seller
    price = f"{line.number} × {format_kes(line.price)} = {format_kes(line.amount)}"
    if line.reduced:
        price += f", reduced by {format_kes(line.reduced)}"
    facts = [
        ("Order", f"{line.order.reference}, {line.order.get_payment_status_display()}"),
        (
            "Goods",
            f"{line}, {line.get_track_status_display()} since {write_moment(line.updated_at)}",
        ),
        ("Price", price),
        ("Buyer", f"{buyer.first_name or buyer} ({buyer}), {dial(line.order.mpesa_number)}"),
        ("Seller", f"{seller.first_name or seller} ({seller}), {dial(line.payment_mpesa_number)}"),
        ("Seller's money", describe_money(problem)),
        ("Status", _describe_status(problem)),
        ("Other problems of this buyer", _other_problems(problem, track__buyer=line.buyer_id)),
        ("Other problems with this seller", _other_problems(problem, seller=line.seller_id)),
    ]
    late = late_problems(timezone.now()).filter(pk=problem.pk).exists()
    return ProblemPage(facts, thread_of(problem), is_late=late)


def describe_money(problem: Problem) -> str:
    """Where the seller's earnings of the line are, in a sentence."""
    share = SellerShare.objects.filter(track=problem.track_id).select_related("payout").first()
    if share is None:
        return "Nothing is owed yet: the goods have not been fetched."
    if share.reversed_at is not None:
        return "Nothing is owed: the line was cancelled."
    owed, payout = format_kes(share.due), share.payout
    if payout is not None and payout.status in _MONEY:
        number = f" as {payout.number}" if payout.number else ""
        part = format_kes(share.carried)
        return (
            f"{part} in a payout of {format_kes(payout.amount)}{number} "
            + _MONEY[TransferStatus(payout.status)]
        )
    if problem.is_undecided:
        return f"{owed} is withheld until this is decided."
    return f"{owed} is owed and has not been sent."


def _describe_status(problem: Problem) -> str:
    if problem.is_undecided:
        return problem.get_state_display()
    back = f", {format_kes(problem.refunded)}" if problem.refunded else ""
    by = f", by the {problem.ended_by}" if problem.ended_by else ""
    return f"Closed: {problem.get_outcome_display()}{back}{by}"


def _other_problems(problem: Problem, **whose: int) -> str:
    """The number of other problems by outcome."""
    others = Problem.objects.filter(**whose).exclude(pk=problem.pk)
    counted = others.order_by("outcome").values_list("outcome").annotate(n=Count("pk"))
    names = dict(Problem._meta.get_field("outcome").flatchoices)
    return ", ".join(f"{n} {names.get(ended, 'undecided')}" for ended, n in counted) or "none"
