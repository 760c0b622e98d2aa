"""What buyers and sellers read of problems."""

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
    """A line's newest problem, and on whose behalf somebody may speak about it."""

    problem: Problem
    party: Party


def party_of(person: User, line: OrderTrack) -> Party | None:
    """Whether a person is buyer or seller of a line; None for everybody else."""
    return next((_PARTIES[role] for role in roles_of(person, line) if role in _PARTIES), None)


def find_part(track_id: int, person: User, *parties: Party) -> Part:
    """The newest problem of a line in which a person has a part, as one of these parties.

    Raises NoSuchProblem where there is none, and for everybody whom it does not concern.
    """
    found = with_counts(Problem.objects.filter(track=track_id)).order_by("-pk").first()
    party = party_of(person, found.track) if found else None
    if found is None or party is None or party not in parties:
        raise NoSuchProblem
    return Part(found, party)


def with_counts(problems: QuerySet[Problem]) -> QuerySet[Any]:
    """Problems with their lines and orders, and how many ``said`` things their threads have."""
    # Not joined and grouped: only the rows of a page are counted for.
    said = ProblemMessage.objects.filter(problem=OuterRef("pk")).order_by().values("problem")
    counted = Coalesce(Subquery(said.values(said=Count("pk"))), 0)
    rows = problems.select_related("track__order").annotate(said=counted)
    return rows.defer("track__collection_code")


def problems_of_seller(seller: User) -> QuerySet[Any]:
    """The problems with what a seller sold, undecided ones first (KEYSET)."""
    mine = with_counts(Problem.objects.of_seller(seller))
    return mine.annotate(undecided=Undecided()).order_by(*KEYSET)


def thread_of(problem: Problem) -> list[ProblemMessage]:
    """What was said about a problem, oldest first, each with the ids of its pictures.

    Two queries.
    """
    # Not the pictures themselves, which may be a megabyte.
    pictures = ProblemPicture.objects.only("pk", "message_id").order_by("pk")
    return list(problem.messages.order_by("pk").prefetch_related(Prefetch("pictures", pictures)))


def find_picture(track_id: int, picture_id: int, person: User) -> ProblemPicture:
    """A picture of a problem with a line, for its buyer and its seller. Raises NoSuchProblem."""
    pictures = ProblemPicture.objects.select_related("message__problem__track")
    found = pictures.filter(pk=picture_id, message__problem__track=track_id).first()
    if found is None or party_of(person, found.message.problem.track) is None:
        raise NoSuchProblem
    return found
