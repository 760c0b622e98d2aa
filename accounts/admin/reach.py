"""Which staff may act on which accounts."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import User
from omachemainproj.api.errors import Refusal


class OutOfReach(Refusal):
    """Only superusers act on accounts of the staff."""

    code = "out_of_reach"
    message = "Only a superuser acts on an account of the staff."


class OwnFactor(Refusal):
    """One's own factor goes by a code of it, and by nobody's word."""

    code = "own_factor"
    message = "Your own second factor is taken away on its page, with a code."


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def is_within_reach(request: HttpRequest, person: User | None) -> bool:
    return is_superuser(request) or person is None or not is_privileged(person)


def is_privileged(person: User) -> bool:
    return person.is_staff or person.is_superuser


def require_reach(by: User, person: User) -> None:
    """Raise OutOfReach where only a superuser may act on somebody."""
    if is_privileged(person) and not by.is_superuser:
        raise OutOfReach
