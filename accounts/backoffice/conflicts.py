"""Conflicts of interest: staff cannot act on records they are involved in.

The parties of a record are its buyer, seller, author, payer and payee, by account or by phone. Each
app declares the parties of its own models (``parties_of``), and where it stores people's phone
numbers (``phone_source``). Nobody can act on a record of a model without such a declaration.
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

#: The audit entry of an action refused for a conflict of interest begins with this.
REFUSED = "Refused, own interest"


class ConflictOfInterest(Refusal):
    """The user is a party to the record. Superusers are no exception."""

    code = "own_interest"
    message = (
        "You are involved in this (as buyer, seller or author, or through one of your phone "
        "numbers). Someone else has to decide."
    )
    status_code = status.HTTP_403_FORBIDDEN


@dataclass(frozen=True, slots=True)
class Parties:
    """The parties of a record: user ids, and phones as a provider or a form shows them."""

    people: frozenset[int] = frozenset()
    phones: frozenset[str] = frozenset()

    def __or__(self, other: Parties) -> Parties:
        return Parties(self.people | other.people, self.phones | other.phones)


NOBODY = Parties()

PartyFinder = Callable[[Any], Parties]
_party_finders: dict[type[Model], list[PartyFinder]] = defaultdict(list)
_phone_sources: list[Callable[[int], QuerySet[Any, Any]]] = []


def parties_of(*models: type[Model]) -> Callable[[PartyFinder], PartyFinder]:
    """Declare the parties of these models. Several functions for one model are combined."""

    def declare(finder: PartyFinder) -> PartyFinder:
        for model in models:
            _party_finders[model].append(finder)
        return finder

    return declare


def phone_source(
    read: Callable[[int], QuerySet[Any, Any]],
) -> Callable[[int], QuerySet[Any, Any]]:
    """Declare where a user's numbers are stored: one unordered column of 12 digits, by user id."""
    _phone_sources.append(read)
    return read


def is_declared(model: type[Model]) -> bool:
    """Whether the parties of a model have been declared."""
    return model in _party_finders


def find_parties(row: Model) -> Parties:
    """The parties of a row. Raises TypeError if those of its model were not declared."""
    model = type(row)._meta.concrete_model or type(row)
    if not is_declared(model):
        raise TypeError(f"no parties_of() is declared for {model.__name__}")
    parties = NOBODY
    for finder in _party_finders[model]:
        parties |= finder(row)
    return parties


def people(*ids: int | None) -> frozenset[int]:
    """A set of these ids, without None."""
    return frozenset(each for each in ids if each is not None)


def phones(shown: Iterable[str]) -> frozenset[str]:
    """A set of these numbers, without empty ones."""
    return frozenset(each for each in shown if each)


def own_numbers(by: User) -> frozenset[str]:
    """Every number the user has bought, sold or been paid with here. One query."""
    first, *rest = [read(by.pk).order_by() for read in _phone_sources]
    return frozenset(first.union(*rest))


def is_party(by: User, parties: Parties, *, numbers: frozenset[str] | None = None) -> bool:
    """Whether a user is one of the parties, by account or by a number they use here.

    ``numbers`` are the user's, if the caller has read them; otherwise one query, if it is needed.
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


def refuse_conflicts(by: User, row: Model, *, others: Parties = NOBODY) -> None:
    """Raise ConflictOfInterest if a user is a party to a row, or to ``others``."""
    if is_party(by, find_parties(row) | others):
        raise ConflictOfInterest


def log_refusal(by: User, what: str, row: Model, *, why: str = "") -> None:
    """Record that a user was refused an action because of a conflict of interest."""
    audit.log(by, f"{REFUSED}: {what}", row, action=audit.REFUSED, why=why)


@parties_of(User)
def _of_person(person: User) -> Parties:
    return Parties(people(person.pk))


@parties_of(PasswordTries)
def _of_tries(tries: PasswordTries) -> Parties:
    return Parties(people(tries.user_id))


@phone_source
def _phone_of_person(person: int) -> QuerySet[Any, Any]:
    """The user's own phone."""
    return User.objects.filter(pk=person).exclude(phone="").values_list("phone", flat=True)


@parties_of(Group)
def _of_group(group: Group) -> Parties:
    """The members of the role: its permissions are theirs."""
    return Parties(frozenset(User.objects.filter(groups=group.pk).values_list("pk", flat=True)))


def proposers(row: Model, actions: Iterable[str]) -> frozenset[int]:
    """The users who proposed one of these actions, by key, on a row, and who approved it."""
    mine = Proposal.objects.filter(
        content_type__app_label=row._meta.app_label,
        content_type__model=row._meta.model_name,
        object_id=str(row.pk),
        action__in=list(actions),
    )
    pairs = mine.values_list("proposed_by", "decided_by")
    return people(*(who for pair in pairs for who in pair))
