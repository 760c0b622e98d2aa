"""Queries of problems for buyers and sellers."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from orders.line_moves import Role, roles_of
from orders.models import OrderTrack, Party, Problem, ProblemMessage, ProblemPicture
from orders.models.problems import Undecided

from .services import NoSuchProblem

#: Undecided ones first, then the newest.
KEYSET = ("-undecided", "-id")

_PARTIES = {Role.BUYER: Party.BUYER, Role.SELLER: Party.SELLER}


class Part(NamedTuple):
    """A line's newest problem, and the party a user speaks for in its thread."""

    problem: Problem
    party: Party


def party_of(person: User, line: OrderTrack) -> Party | None:
    """Return whether a user is buyer or seller of a line; None for everyone else."""
    return next((_PARTIES[role] for role in roles_of(person, line) if role in _PARTIES), None)


def find_part(track_id: int, person: User, *parties: Party) -> Part:
    """Return the newest problem of a line for a user who is one of these parties.

    Raises NoSuchProblem if there is none, and for everyone else.
    """
    problem = with_counts(Problem.objects.filter(track=track_id)).order_by("-pk").first()
    party = party_of(person, problem.track) if problem else None
    if problem is None or party is None or party not in parties:
        raise NoSuchProblem
    return Part(problem, party)


def with_counts(problems: QuerySet[Problem]) -> QuerySet[Any]:
    """Problems with their lines and orders, annotated with ``message_count``."""
    # A subquery instead of a join and GROUP BY: it counts only for the rows of a page.
    messages = ProblemMessage.objects.filter(problem=OuterRef("pk")).order_by().values("problem")
    counted = Coalesce(Subquery(messages.values(count=Count("pk"))), 0)
    rows = problems.select_related("track__order").annotate(message_count=counted)
    return rows.defer("track__collection_code")


def problems_of_seller(seller: User) -> QuerySet[Any]:
    """Return the problems with a seller's sales, undecided ones first (KEYSET)."""
    mine = with_counts(Problem.objects.of_seller(seller))
    return mine.annotate(undecided=Undecided()).order_by(*KEYSET)


def thread_of(problem: Problem) -> list[ProblemMessage]:
    """Return the messages about a problem, oldest first, each with the ids of its pictures.

    Two queries.
    """
    # Without the image data, which may be a megabyte each.
    pictures = ProblemPicture.objects.only("pk", "message_id").order_by("pk")
    return list(problem.messages.order_by("pk").prefetch_related(Prefetch("pictures", pictures)))


def find_picture(track_id: int, picture_id: int, person: User) -> ProblemPicture:
    """Return a picture of a line's problem, for its buyer or seller. Raises NoSuchProblem."""
    pictures = ProblemPicture.objects.select_related("message__problem__track")
    picture = pictures.filter(pk=picture_id, message__problem__track=track_id).first()
    if picture is None or party_of(person, picture.message.problem.track) is None:
        raise NoSuchProblem
    return picture
