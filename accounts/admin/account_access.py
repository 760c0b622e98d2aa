"""Which staff may act on which accounts."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import User
from omachemainproj.api.errors import Refusal


class StaffAccountProtected(Refusal):
    """Only superusers act on staff accounts."""

    code = "out_of_reach"
    message = "Only a superuser can change a staff account."


class OwnFactor(Refusal):
    """Users remove their own second factor with a code of it, never through this list."""

    code = "own_factor"
    message = "To remove your own second factor, open its page and enter a code."


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def may_change(request: HttpRequest, person: User | None) -> bool:
    return is_superuser(request) or person is None or not is_privileged(person)


def is_privileged(person: User) -> bool:
    return person.is_staff or person.is_superuser


def require_may_change(by: User, person: User) -> None:
    """Raise StaffAccountProtected if ``person`` is staff and ``by`` is no superuser."""
    if is_privileged(person) and not by.is_superuser:
        raise StaffAccountProtected
