"""Who may not approve money, or decide about it: the people involved in it.

The parties of a row may not perform any action on it (payments.conflict_parties). Nor may it be
approved by a user whose actions made the money due, or who counts as the same person as one of
those (accounts.backoffice.same_person).
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from accounts.backoffice.same_person import SAME_PERSON, counts_as_same_person
from accounts.models import User

from .refusals import ActionNotAvailable


def require_uninvolved(by: User, involved: Mapping[str, Set[int | None]]) -> None:
    """Raise ActionNotAvailable if a user is one of those involved, or counts as one person with
    one of them (``counts_as_same_person``).

    ``involved`` are ids of users, by the sentence that tells one of them so.
    """
    for sentence, ids in involved.items():
        if by.pk in ids:
            raise ActionNotAvailable(sentence)
    if counts_as_same_person(by, set[int | None]().union(*involved.values())):
        raise ActionNotAvailable(SAME_PERSON)
