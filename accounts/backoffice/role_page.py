"""A role's page in the admin: its purpose, its permissions and its members."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.utils.html import format_html_join

from accounts.models import User

from .formats import moment
from .links import link_to
from .permission_labels import labels_by_section
from .roles import PURPOSES
from .row_page import Content, Facts, Table, list_of, newest_of, section

#: The permission to see roles, which only superusers have.
_SEES = "auth.view_group"


def purpose_of(role: Group) -> str:
    """The purpose of a role; "" for roles created by the shop itself."""
    return PURPOSES.get(role.name, "")


@section(Group, "for", "Purpose", permission=_SEES, place=10)
def show_purpose(role: Group, viewer: User) -> Content | None:
    purpose = purpose_of(role)
    return Facts((), lead=f"{purpose[:1].upper()}{purpose[1:]}.") if purpose else None


@section(Group, "may", "Allowed actions", permission=_SEES, place=20)
def show_role_permissions(role: Group, viewer: User) -> Content:
    labels = labels_by_section(role.permissions.select_related("content_type"))
    rows = [(name, format_html_join("", "<p>{}</p>", _sentences(words))) for name, words in labels]
    return Table(("Section", "May"), rows, "None.")


@section(Group, "people", "People with this role", permission=_SEES, place=30)
def show_people(role: Group, viewer: User) -> Content:
    people, has_more = newest_of(User.objects.filter(groups=role))
    rows = [
        (link_to(each, viewer), each.get_full_name() or "not given", moment(each.last_login))
        for each in people
    ]
    more = list_of(User, "All with this role", groups__id__exact=role.pk) if has_more else None
    return Table(("Person", "Name", "Last log-in"), rows, "Nobody.", more)


def _sentences(words: list[str]) -> list[tuple[Any]]:
    return [(f"{each[:1].upper()}{each[1:]}.",) for each in words]
