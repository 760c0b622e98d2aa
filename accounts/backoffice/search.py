"""One box in which staff type whatever they were told, and what of it each of them may see.

Each app declares how its rows are found (``finder``), by what is indexed, and to whom. What is
found is led to by ``page_of``, so nobody is shown a row whose page is not theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.authentication import current_user
from accounts.models import User
from omachemainproj.phones import normalise_phone
from omachemainproj.text import fold_identifier

from .links import link_to, page_of
from .row_page import NEWEST, Link, Table

#: Whoever types more means none of what is looked for.
LONGEST = 200


class Typed(NamedTuple):
    """What was typed, folded; the phone it is in 12 digits, or ""."""

    text: str
    phone: str


class Found(NamedTuple):
    """Rows of one kind, at most ten, and the way to all where there are more.

    ``is_certain``: what was typed is the name of these and of nothing else, so that nobody need
    look further.
    """

    rows: Sequence[Model] = ()
    more: Link | None = None
    is_certain: bool = False


#: What is found of what was typed, for somebody who has the permission.
Find = Callable[[Typed, User], Found]
#: What is told of a row, after its name.
Tell = Callable[[Any, User], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Finder:
    """How rows of one kind are found, told and called; ``by`` is what they are found by, in words.

    It takes one of the ``permissions``.
    """

    title: str
    by: tuple[str, ...]
    permissions: tuple[str, ...]
    headings: tuple[str, ...]
    tell: Tell
    find: Find
    place: int

    def is_for(self, viewer: User) -> bool:
        """Whether somebody may find these rows."""
        return any(map(viewer.has_perm, self.permissions))


_finders: list[Finder] = []


def finder(
    title: str,
    *,
    by: Iterable[str],
    permissions: Iterable[str],
    headings: Iterable[str],
    tell: Tell,
    place: int,
) -> Callable[[Find], Find]:
    """Declare how rows of one kind are found; those of a lower ``place`` are looked for first.

    The first of the ``headings`` is that of a row's name.
    """

    def declare(find: Find) -> Find:
        made = Finder(title, tuple(by), tuple(permissions), tuple(headings), tell, find, place)
        _finders.append(made)
        _finders.sort(key=lambda each: each.place)
        return find

    return declare


def words_for(viewer: User) -> list[str]:
    """What somebody may type, in words; none for whom nothing is found."""
    mine = (each.by for each in _finders if each.is_for(viewer))
    return list(dict.fromkeys(words for by in mine for words in by))


def first_of(rows: QuerySet[Any], more: Link | None = None) -> Found:
    """The first ten rows in the order they have; ``more`` is the way to all. One query."""
    found = list(rows[: NEWEST + 1])
    return Found(found[:NEWEST], more if len(found) > NEWEST else None)


def search(typed: str, viewer: User) -> list[tuple[Finder, Found]]:
    """What is found, by kind, of what somebody may see; each row once, as what it is first."""
    text = fold_identifier(typed)
    if not text or len(text) > LONGEST:
        return []
    asked, shown = Typed(text, phone_in(text)), []
    known: set[Model] = set()
    for each in _finders:
        if not each.is_for(viewer):
            continue
        found = each.find(asked, viewer)
        rows = [row for row in found.rows if row not in known and page_of(row, viewer)]
        known.update(rows)
        if rows:
            shown.append((each, found._replace(rows=rows)))
            if found.is_certain:
                break
    return shown


def phone_in(text: str) -> str:
    """The phone that was typed, in 12 digits; "" where it is none."""
    try:
        return normalise_phone(text)
    except ValueError:
        return ""


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Open what was typed where it is one thing, and list it by kind where it may be several."""
    viewer, typed = current_user(request), request.GET.get("q", "").strip()
    shown = search(typed, viewer)
    only = [row for _, found in shown for row in found.rows]
    if len(only) == 1:
        return redirect(page_of(only[0], viewer))
    context = {
        **admin.site.each_context(request),
        "title": "Find",
        "typed": typed[:LONGEST],
        "found": [(each.title, _table(each, rows, viewer)) for each, rows in shown],
    }
    return render(request, "admin/search.html", context)


def _table(kind: Finder, found: Found, viewer: User) -> Table:
    rows = [(link_to(row, viewer), *kind.tell(row, viewer)) for row in found.rows]
    return Table(kind.headings, rows, "", found.more)
