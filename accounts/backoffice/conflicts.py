"""Interest: nobody of the staff decides about a row in which they have a part.

A part has whoever bought, sold, is paid or pays by it, or wrote it. Each app says who that is for
its own rows (``parties_of``), and where it keeps numbers of people (``phone_source``). A row of a
kind for which nobody has said it is not decided about at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from rest_framework import status

from accounts.models import PasswordTries, Proposal, User
from omachemainproj.api.errors import Refusal
from omachemainproj.phones import PhoneMatch, match_phone

from . import audit

#: How the record of a decision begins that was refused to somebody who has a part in the row.
REFUSED = "Refused, own interest"


class ConflictOfInterest(Refusal):
    """Whoever wants to decide has a part in the row. Nobody is above it: not superusers either."""

    code = "own_interest"
    message = (
        "You have a part in this, as buyer, seller or author or by a number of yours: somebody "
        "else decides."
    )
    status_code = status.HTTP_403_FORBIDDEN


@dataclass(frozen=True, slots=True)
class Parties:
    """Who has a part in a row: people by id, and phones as a provider or a form shows them."""

    people: frozenset[int] = frozenset()
    phones: frozenset[str] = frozenset()

    def __or__(self, other: Parties) -> Parties:
        return Parties(self.people | other.people, self.phones | other.phones)


NOBODY = Parties()

PartyFinder = Callable[[Any], Parties]
_party_finders: dict[type[Model], list[PartyFinder]] = defaultdict(list)
_phone_sources: list[Callable[[int], QuerySet[Any, Any]]] = []


def parties_of(*models: type[Model]) -> Callable[[PartyFinder], PartyFinder]:
    """Declare who has a part in rows of these models. Several functions of a model are added up."""

    def declare(tell: PartyFinder) -> PartyFinder:
        for model in models:
            _party_finders[model].append(tell)
        return tell

    return declare


def phone_source(
    read: Callable[[int], QuerySet[Any, Any]],
) -> Callable[[int], QuerySet[Any, Any]]:
    """Declare where numbers of a person, by id, are kept: one column of 12 digits, unordered."""
    _phone_sources.append(read)
    return read


def is_declared(model: type[Model]) -> bool:
    """Whether somebody has said who has a part in rows of a model."""
    return model in _party_finders


def find_parties(row: Model) -> Parties:
    """Who has a part in a row. Raises TypeError where nobody has said it of its kind."""
    model = type(row)._meta.concrete_model or type(row)
    if not is_declared(model):
        raise TypeError(f"nobody has said who has a part in a {model.__name__}")
    found = NOBODY
    for tell in _party_finders[model]:
        found |= tell(row)
    return found


def people(*ids: int | None) -> frozenset[int]:
    """These people, without those who are not there."""
    return frozenset(each for each in ids if each is not None)


def phones(shown: Iterable[str]) -> frozenset[str]:
    """These numbers, without empty ones."""
    return frozenset(each for each in shown if each)


def own_numbers(by: User) -> frozenset[str]:
    """Every number by which a person bought, sold or was paid here. One query."""
    first, *rest = [read(by.pk).order_by() for read in _phone_sources]
    return frozenset(first.union(*rest))


def is_party(by: User, parties: Parties, *, numbers: frozenset[str] | None = None) -> bool:
    """Whether a person is one of the parties, by their account or by a number they use here.

    ``numbers`` are theirs, where they are read already. Else one query, where it is needed.
    """
    if by.pk in parties.people:
        return True
    if not parties.phones:
        return False
    own = own_numbers(by) if numbers is None else numbers
    return any(
        match_phone(shown, number) == PhoneMatch.AGREES
        for shown in parties.phones
        for number in own
    )


def refuse_conflicts(by: User, row: Model, *, besides: Parties = NOBODY) -> None:
    """Raise ConflictOfInterest where a person has a part in a row, or in what is to be done with it."""
    if is_party(by, find_parties(row) | besides):
        raise ConflictOfInterest


def log_refusal(by: User, what: str, row: Model, *, why: str = "") -> None:
    """Record that somebody was refused to decide about a row in which they have a part."""
    audit.log(by, f"{REFUSED}: {what}", row, why=why)


@parties_of(User)
def _of_person(person: User) -> Parties:
    return Parties(people(person.pk))


@parties_of(PasswordTries)
def _of_tries(tries: PasswordTries) -> Parties:
    return Parties(people(tries.user_id))


@phone_source
def _phone_of_person(person: int) -> QuerySet[Any, Any]:
    """The number they are called on."""
    return User.objects.filter(pk=person).exclude(phone="").values_list("phone", flat=True)


@parties_of(Group)
def _of_group(group: Group) -> Parties:
    """Its members: what it may do, they may."""
    return Parties(frozenset(User.objects.filter(groups=group.pk).values_list("pk", flat=True)))


def proposers(row: Model, actions: Iterable[str]) -> frozenset[int]:
    """Who proposed one of these actions, by their keys, with a row, and who agreed to it."""
    mine = Proposal.objects.filter(
        content_type__app_label=row._meta.app_label,
        content_type__model=row._meta.model_name,
        object_id=str(row.pk),
        action__in=list(actions),
    )
    pairs = mine.values_list("proposed_by", "decided_by")
    return people(*(who for pair in pairs for who in pair))
