"""What is declared about the personal data in one table, and the reasons to retain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Model

#: Reasons to retain data.
BOOKS = "the law requires accounting records, and they prove who owns the money"
AGREED = "part of an agreement, protected by a digest; the other party has a right to it"
ADDED_TO = "an append-only record"
DECIDED = "evidence for a decision about money; the other party has a right to it"
NUMBER = "it identifies the owner only by a number"
STARS = "a rating of goods, without a name"
STAFF = "staff accounts are not deleted, since their decisions affect others"
NOBODY = "it is not about a person"
#: The whole row is deleted.
WHOLE = "*"


@dataclass(frozen=True, slots=True)
class PersonalData:
    """The data of one user in one table. Columns are separated by spaces."""

    section: str
    model: str
    #: Lookups of the user, separated by spaces. A row that matches any of them is the user's.
    owners: str
    #: Columns of the export.
    shown: str
    #: Columns that are secret or meaningless outside (codes, tokens, digests), that have their own
    #: URL (pictures), that are about others, or that are only for staff.
    hidden: str = ""
    #: Columns that are erased, or WHOLE.
    erased: str = ""
    #: The columns that are retained, by reason.
    retained: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> type[Model]:
        """The model."""
        return apps.get_model(self.model)

    @property
    def columns(self) -> list[str]:
        """The columns of the export."""
        return self.shown.split()

    def keys_of(self, user_id: int) -> set[Any]:
        """The primary keys of this user's rows.

        Unordered and unlimited: with ORDER BY and LIMIT the database would scan a large table by
        primary key to find a user's few rows.
        """
        rows = self.table._default_manager
        return {
            key
            for lookup in self.owners.split()
            for key in rows.filter(**{lookup: user_id}).values_list("pk", flat=True)
        }
