"""Finding people by what they call themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import UserManager
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

if TYPE_CHECKING:
    from .models import User

    _Manager = UserManager[User]
else:
    _Manager = UserManager


class People(_Manager):
    """Finds people whatever the case they are typed in, by the indexes that keep them unique."""

    use_in_migrations = False

    def called(self, username: str) -> QuerySet[User]:
        """The person with this username, or nobody."""
        return self.filter(Exact(Lower("username"), username.lower()))

    def reached_at(self, email: str) -> QuerySet[User]:
        """The person with this e-mail, or nobody; nobody at all is reached at ``""``."""
        return self.filter(Exact(Lower("email"), email.lower())).exclude(email="")

    def known_as(self, typed: str) -> QuerySet[User]:
        """The person with this e-mail or this username; only an e-mail contains an ``@``."""
        return self.reached_at(typed) if "@" in typed else self.called(typed)
