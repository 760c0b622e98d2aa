"""A person's page in the admin: their details, and staff actions about them.

Sections about their orders, sales, money and messages are declared by higher apps.
"""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType

from accounts.lockout import locked_until
from accounts.models import Audit, Language, User

from .formats import Tone, badge, dial_in, moment, phone_link, write_moment
from .links import link_to
from .row_page import Content, Facts, Table, list_of, newest_of, section

#: The permission to see people's addresses and phones.
HELPS = "accounts.help_user"


def is_guest(person: User) -> bool:
    """Whether a user bought as a guest, without an account."""
    return hasattr(person, "guest")


@section(User, "details", "Details", permission="accounts.view_user", place=10)
def show_details(person: User, viewer: User) -> Content:
    if person.erased_at is not None:
        since = moment(person.erased_at)
        return Facts([("Deleted", since)], lead=kind_of(person))
    facts: list[tuple[str, Any]] = [("Name", person.get_full_name() or "not given")]
    if is_guest(person):
        if viewer.has_perm(HELPS):
            facts.append(("Phone entered", phone_link(person.guest.phone)))
    else:
        facts.append(("E-mail", _email(person)))
        if viewer.has_perm(HELPS):
            facts.append(("Phone", phone_link(person.phone)))
        facts.append(("Last log-in", moment(person.last_login)))
        until = locked_until(person) if viewer.has_perm(HELPS) else None
        if until is not None:
            facts.append(("Log-in", badge(f"locked until {write_moment(until)}", Tone.BAD)))
    facts += [
        ("Language", Language(person.spoken_language).label),
        ("Since", moment(person.date_joined)),
    ]
    return Facts(facts, lead=kind_of(person))


def _email(person: User) -> str:
    if not person.email:
        return "none"
    return person.email if person.email_confirmed_at else f"{person.email} (not confirmed)"


def kind_of(person: User) -> str:
    """The status of a user's account, as a badge."""
    if person.erased_at is not None:
        return badge("deleted account", Tone.QUIET)
    if is_guest(person):
        return badge("guest, without an account", Tone.QUIET)
    if not person.is_active:
        return badge("closed", Tone.BAD)
    if person.is_staff or person.is_superuser:
        return badge("staff", Tone.OPEN)
    return badge("open account", Tone.GOOD)


@section(User, "staff", "Staff actions", permission="accounts.view_audit", place=90)
def show_audit(person: User, viewer: User) -> Content:
    kind = ContentType.objects.get_for_model(User, for_concrete_model=False)
    about = Audit.objects.filter(content_type=kind, object_id=str(person.pk))
    entries, has_more = newest_of(about.select_related("actor"))
    rows = [
        (
            link_to(entry, viewer, dial_in(entry.did)),
            link_to(entry.actor, viewer),
            entry.why,
            moment(entry.at),
        )
        for entry in entries
    ]
    query = {"content_type": kind.pk, "object_id": person.pk}
    more = list_of(Audit, "All staff actions", **query) if has_more else None
    return Table(("What", "Who", "Why", "When"), rows, "Nothing.", more)
