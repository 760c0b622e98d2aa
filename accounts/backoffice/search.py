"""The admin's search: one box for names, numbers and codes, with results by permission.

Each app declares how its rows are found (``finder``), by indexed columns, and who may find them.
Results link to ``page_of`` the row, so that nobody sees a row whose page they may not open.
"""

from __future__ import annotations

import re
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

#: Characters. A longer text cannot match anything.
LONGEST = 200
#: How the SMS about a payment begins, in both languages of M-Pesa: callers forward it whole.
_PAYMENT_SMS = re.compile(r"\s*([a-z0-9]{10})\s+(?:confirmed|imethibitishwa)\b", re.IGNORECASE)
#: How the shop's own SMS name an order, in both languages (orders/notifications/templates.py).
_ORDER_SMS = re.compile(
    r"\s*o-mache: .*?\b(?:order|oda)\s+([a-z0-9]{8})\b", re.IGNORECASE | re.DOTALL
)


class Typed(NamedTuple):
    """The typed text, folded; and as a phone of 12 digits, or "" if it is none."""

    text: str
    phone: str


class Found(NamedTuple):
    """At most ten rows of one kind, and a link to all if there are more.

    ``is_certain``: the text identifies these rows and nothing else, so the search ends here.
    """

    rows: Sequence[Model] = ()
    more: Link | None = None
    is_certain: bool = False


#: Finds rows by the typed text, for a viewer with permission.
Find = Callable[[Typed, User], Found]
#: Returns a row's cells after its name.
Cells = Callable[[Any, User], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Finder:
    """How rows of one kind are found and shown; ``by`` describes in words what finds them.

    Any one of the ``permissions`` is enough.
    """

    title: str
    by: tuple[str, ...]
    permissions: tuple[str, ...]
    headings: tuple[str, ...]
    cells: Cells
    find: Find
    place: int

    def is_for(self, viewer: User) -> bool:
        """Whether the viewer may find these rows."""
        return any(map(viewer.has_perm, self.permissions))


_finders: list[Finder] = []


def finder(
    title: str,
    *,
    by: Iterable[str],
    permissions: Iterable[str],
    headings: Iterable[str],
    cells: Cells,
    place: int,
) -> Callable[[Find], Find]:
    """Declare how rows of one kind are found; finders run in order of ``place``.

    The first of the ``headings`` is for the row's name.
    """

    def declare(find: Find) -> Find:
        made = Finder(title, tuple(by), tuple(permissions), tuple(headings), cells, find, place)
        _finders.append(made)
        _finders.sort(key=lambda each: each.place)
        return find

    return declare


def search_hint_for(viewer: User) -> list[str]:
    """What the viewer can search by, in words; empty if they may find nothing."""
    mine = (each.by for each in _finders if each.is_for(viewer))
    return list(dict.fromkeys(words for by in mine for words in by))


def first_of(rows: QuerySet[Any], more: Link | None = None) -> Found:
    """The first ten rows in their order; ``more`` links to all of them. One query."""
    newest = list(rows[: NEWEST + 1])
    return Found(newest[:NEWEST], more if len(newest) > NEWEST else None)


def search(typed: str, viewer: User) -> list[tuple[Finder, Found]]:
    """The results that the viewer may see, by kind; each row once, under the first kind."""
    text = without_sms(fold_identifier(typed))
    if not text or len(text) > LONGEST:
        return []
    query, shown = Typed(text, phone_in(text)), []
    known: set[Model] = set()
    for each in _finders:
        if not each.is_for(viewer):
            continue
        found = each.find(query, viewer)
        rows = [row for row in found.rows if row not in known and page_of(row, viewer)]
        known.update(rows)
        if rows:
            shown.append((each, found._replace(rows=rows)))
            if found.is_certain:
                break
    return shown


def without_sms(typed: str) -> str:
    """What a pasted SMS is about; any other text unchanged.

    The receipt number that M-Pesa's begins with, or the reference in one of the shop's.
    """
    sms = _PAYMENT_SMS.match(typed) or _ORDER_SMS.match(typed)
    return sms[1] if sms else typed


def phone_in(text: str) -> str:
    """The typed phone as 12 digits; "" if it is none."""
    try:
        return normalise_phone(text)
    except ValueError:
        return ""


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Open the page of a single result; list several by kind."""
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
    rows = [(link_to(row, viewer), *kind.cells(row, viewer)) for row in found.rows]
    return Table(kind.headings, rows, "", found.more)
