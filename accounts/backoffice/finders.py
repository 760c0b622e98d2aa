"""How people are found in the admin's search."""

from __future__ import annotations

from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.models import User

from .formats import moment
from .person_page import HELPS, kind_of
from .search import Found, Typed, finder, first_of

#: Fewer letters begin too many names.
_FEWEST = 3


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
    people = User.objects.select_related("guest")
    if typed.phone:
        if not viewer.has_perm(HELPS):
            return Found()
        # One index each; joined by “or” across tables, none would be used.
        of_phone = [
            User.objects.filter(**{column: typed.phone}).order_by().values("pk")
            for column in ("phone", "guest__phone", "phone_login__phone")
        ]
        known = of_phone[0].union(*of_phone[1:], all=True)[: 3 * 10]
        return first_of(people.filter(pk__in=[each["pk"] for each in known]).order_by("-pk"))
    if "@" in typed.text:
        return first_of(User.objects.reached_at(typed.text).select_related("guest"))
    named = first_of(User.objects.called(typed.text).select_related("guest"))
    if named.rows or len(typed.text) < _FEWEST:
        return named
    # The next names in the order of their index: no pattern, which it serves in one collation only.
    beginning = typed.text.lower()
    after = people.annotate(lower_name=Lower("username")).filter(Q(lower_name__gte=beginning))
    following = first_of(after.order_by(F("lower_name")))
    return Found(
        [row for row in following.rows if str(getattr(row, "lower_name", "")).startswith(beginning)]
    )
