"""Finds people in the admin, for its search and for their list."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects

from accounts.models import Guest, User
from accounts.models.phones import PhoneLogin

from .formats import moment
from .person_page import HELPS, kind_of
from .row_page import NEWEST, list_of
from .search import Found, Typed, finder

#: Too many names begin with fewer letters.
_FEWEST = 3


def people_at(phone: str, most: int) -> list[User]:
    """Users with this phone of 12 digits, for contact or sign-in, or as a guest; newest first.

    There may be any number of them: only ``most`` are read.
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
    """Users whose user name, e-mail address, or first and last name (in either order) begins so.

    An exact match comes first. Four queries at most.
    """
    if "@" in text:
        exact, ways = list(User.objects.reached_at(text)[:most]), ["email"]
    else:
        exact, ways = list(User.objects.called(text)), ["username", "first_name", "last_name"]
    if exact:
        # An exact user name is unique; it may also be other people's first or last name.
        del ways[0]
    people = {person.pk: person for person in exact}
    term = " ".join(text.split())
    for by in ways if len(term) >= _FEWEST else ():
        following: Any = User.objects.called_from(term, by=by)[:most]
        people |= {each.pk: each for each in following if each.called.startswith(term.lower())}
    return list(people.values())[:most]


def _describe(person: User, viewer: User) -> tuple[str, ...]:
    return kind_of(person), person.get_full_name(), person.email, moment(person.date_joined)


@finder(
    "People",
    by=("a user name, first or last name, or its beginning", "an e-mail address"),
    permissions=("accounts.view_user",),
    headings=("Person", "Account", "Name", "E-mail", "Since"),
    cells=_describe,
    place=20,
)
def find_people(typed: Typed, viewer: User) -> Found:
    """Find people by name, e-mail address, or phone if the viewer may see phones."""
    if typed.phone:
        people = people_at(typed.phone, NEWEST + 1) if viewer.has_perm(HELPS) else []
    else:
        people = people_called(typed.text, NEWEST + 1)
    # Not joined: the planner would read all guests if it expects many of these people.
    prefetch_related_objects(people, "guest")
    more = list_of(User, "All of these people", q=typed.text) if len(people) > NEWEST else None
    return Found(people[:NEWEST], more)
