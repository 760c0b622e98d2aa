"""How people are found in the admin, in its search and in their list."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects

from accounts.models import Guest, User
from accounts.models.phones import PhoneLogin

from .formats import moment
from .person_page import HELPS, kind_of
from .row_page import NEWEST, list_of
from .search import Found, Typed, finder

#: Fewer letters begin too many names.
_FEWEST = 3


def people_at(phone: str, most: int) -> list[User]:
    """Whom a phone of 12 digits calls or signs in, and the guest who typed it; the newest first.

    They may be any number: so many are looked at.
    """
    # One index each; joined by “or” across tables, none would be used.
    called = User.objects.filter(phone=phone).exclude(phone="")
    known = called.values_list("pk").union(
        Guest.objects.filter(phone=phone).values_list("user"),
        PhoneLogin.objects.filter(phone=phone).values_list("user"),
    )
    ids = [pk for (pk,) in known[:most]]
    return list(User.objects.filter(pk__in=ids).order_by("-pk"))


def people_called(text: str, most: int) -> list[User]:
    """Whose user name, e-mail address, or first and last name in either order this is, or begins.

    The one who is called so comes first. Four queries at most.
    """
    if "@" in text:
        exact, ways = list(User.objects.reached_at(text)[:most]), ["email"]
    else:
        exact, ways = list(User.objects.called(text)), ["username", "first_name", "last_name"]
    if exact:
        # A name is one person's, and others may have it for their first or last one.
        del ways[0]
    found = {person.pk: person for person in exact}
    said = " ".join(text.split())
    for by in ways if len(said) >= _FEWEST else ():
        following: Any = User.objects.called_from(said, by=by)[:most]
        found |= {each.pk: each for each in following if each.called.startswith(said.lower())}
    return list(found.values())[:most]


def _tell(person: User, viewer: User) -> tuple[str, ...]:
    return kind_of(person), person.get_full_name(), person.email, moment(person.date_joined)


@finder(
    "People",
    by=("a user name, a first or a last name, or how one begins", "an e-mail address"),
    permissions=("accounts.view_user",),
    headings=("Person", "Account", "Name", "E-mail", "Since"),
    tell=_tell,
    place=20,
)
def find_people(typed: Typed, viewer: User) -> Found:
    """By their names, their e-mail address, or their phone where that may be seen."""
    if typed.phone:
        people = people_at(typed.phone, NEWEST + 1) if viewer.has_perm(HELPS) else []
    else:
        people = people_called(typed.text, NEWEST + 1)
    # Not joined: the planner reads all guests where it expects many of these people.
    prefetch_related_objects(people, "guest")
    more = list_of(User, "All of these people", q=typed.text) if len(people) > NEWEST else None
    return Found(people[:NEWEST], more)
