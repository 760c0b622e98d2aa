"""How people are found in the admin's search."""

from __future__ import annotations

from django.db.models import QuerySet
from django.db.models.functions import Lower

from accounts.models import Guest, User
from accounts.models.phones import PhoneLogin

from .formats import moment
from .person_page import HELPS, kind_of
from .search import Found, Typed, finder, first_of

#: Fewer letters begin too many names.
_FEWEST = 3
#: Of people with one phone, who may be any number, so many are looked at.
_MOST = 30


def _tell(person: User, viewer: User) -> tuple[str, ...]:
    return kind_of(person), person.get_full_name(), person.email, moment(person.date_joined)


@finder(
    "People",
    by=("a user name, or how it begins", "an e-mail address"),
    permissions=("accounts.view_user",),
    headings=("Person", "Account", "Name", "E-mail", "Since"),
    tell=_tell,
    place=20,
)
def find_people(typed: Typed, viewer: User) -> Found:
    """By their user name, or how it begins, their e-mail, or their phone where that may be seen.

    A phone finds the account that it calls or signs in to, and the guest who typed it.
    """
    if typed.phone:
        if not viewer.has_perm(HELPS):
            return Found()
        # One index each; joined by “or” across tables, none would be used.
        called = User.objects.filter(phone=typed.phone).exclude(phone="")
        known = called.values_list("pk").union(
            Guest.objects.filter(phone=typed.phone).values_list("user"),
            PhoneLogin.objects.filter(phone=typed.phone).values_list("user"),
        )
        ids = [pk for (pk,) in known[:_MOST]]
        return _people(User.objects.filter(pk__in=ids).order_by("-pk"))
    if "@" in typed.text:
        return _people(User.objects.reached_at(typed.text))
    named = _people(User.objects.called(typed.text))
    if named.rows or len(typed.text) < _FEWEST:
        return named
    # The next names in the order of their index: no pattern, which it serves in one collation only.
    beginning = typed.text.lower()
    by_name = User.objects.annotate(lower_name=Lower("username"))
    following = _people(by_name.filter(lower_name__gte=beginning).order_by("lower_name"))
    return Found(
        [row for row in following.rows if str(getattr(row, "lower_name", "")).startswith(beginning)]
    )


def _people(found: QuerySet[User]) -> Found:
    # Not joined: the planner reads all guests where it expects many of these people.
    return first_of(found.prefetch_related("guest"))
