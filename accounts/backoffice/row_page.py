"""A row's page in the admin: its sections, its actions and its related rows.

Each app declares sections (``section``), also for models of lower apps, with the permission needed
to see each. A section of many rows shows the newest and links to the list of all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from accounts.authentication import current_user
from accounts.models import User

from .actions import FROM_PAGE
from .links import page_of
from .posted_forms import PageForm, returned_form

#: Rows shown in a section; the others are in its list.
NEWEST = 10


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another page: its text and its URL."""

    words: str
    url: str


@dataclass(slots=True)
class Table:
    """Rows of a section, newest first. A cell is text, or safe HTML."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    #: Shown if there are no rows.
    none: str
    #: The link to all rows, if there are more.
    more: Link | None = None
    template: ClassVar[str] = "admin/page/table.html"

    @property
    def named_rows(self) -> list[list[tuple[str, Any]]]:
        """The rows, each cell with its heading."""
        return [list(zip(self.headings, row, strict=True)) for row in self.rows]


@dataclass(slots=True)
class Facts:
    """Names and values, with sentences before them."""

    facts: Sequence[tuple[str, Any]]
    lead: Any = ""
    template: ClassVar[str] = "admin/page/facts.html"


@dataclass(slots=True)
class Part:
    """Content with its own template, which gets the values in ``of``."""

    template: str
    of: dict[str, Any] = field(default_factory=dict)
    #: Its forms: one with errors is shown again as it was filled in.
    forms: Sequence[PageForm] = ()


Content = Table | Facts | Part
#: Returns what a section shows of a row to a user, or None for nothing.
Show = Callable[[Any, User], Content | None]


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a model's row pages, for users with ``permission``."""

    key: str
    title: str
    permission: str
    show: Show
    place: int
    #: Whether it is shown after the row's own columns.
    is_below: bool = False


_sections: dict[type[Model], list[Section]] = defaultdict(list)


def section(
    model: type[Model], key: str, title: str, *, permission: str, place: int, below: bool = False
) -> Callable[[Show], Show]:
    """Declare a section of a model's row pages; sections are sorted by ``place``."""

    def declare(show: Show) -> Show:
        _sections[model].append(Section(key, title, permission, show, place, below))
        _sections[model].sort(key=lambda each: each.place)
        return show

    return declare


def list_of(model: type[Model], words: str, **query: Any) -> Link:
    """A link to the admin's list of a model, filtered by ``query``."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return Link(words, f"{reverse(name)}?{urlencode(query)}")


def columns_of(fields: Sequence[Any], title: str = "All columns") -> list[Any]:
    """A row's columns as a collapsed fieldset, for pages whose sections show them better."""
    return [(title, {"fields": fields, "classes": ["collapse"]})]


def newest_of(rows: QuerySet[Any]) -> tuple[list[Any], bool]:
    """The newest rows by id, and whether there are more. One query, without counting."""
    newest = list(rows.order_by("-pk")[: NEWEST + 1])
    return newest[:NEWEST], len(newest) > NEWEST


@dataclass(frozen=True, slots=True)
class Buttons:
    """Buttons for staff actions on one row: the actions' names and labels."""

    row: Model
    actions: Sequence[tuple[str, str]]

    @property
    def url(self) -> str:
        """The URL of the list that has these actions."""
        meta = self.row._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


def sections_for(row: Model, viewer: User) -> list[tuple[Section, Content]]:
    """The sections of a row's page that the viewer may see, with their content."""
    shown = []
    for each in _sections[type(row)]:
        if viewer.has_perm(each.permission):
            content = each.show(row, viewer)
            if content is not None:
                shown.append((each, content))
    return shown


class RowPage(admin.ModelAdmin):
    """Gives a model admin row pages with sections. Put it before the admin's other bases."""

    change_form_template = "admin/row_page.html"
    #: The list's actions that the page offers too; each function tells whether a row fits.
    page_actions: ClassVar[dict[str, Callable[[Any], bool]]] = {}
    #: Labels of buttons, where the list's label is for several rows.
    page_labels: ClassVar[dict[str, str]] = {}

    def rows_around(self, row: Any) -> Iterable[tuple[str, Model | None]]:
        """Related rows that the page links to, each after its relation to the row in words."""
        return ()

    def other_links(self, row: Any) -> Iterable[Link]:
        """Other links on the row's page."""
        return ()

    def buttons(self, request: HttpRequest, row: Any) -> Buttons:
        """The actions that this user may apply to the row in its current state."""
        allowed = self.get_actions(request)
        offered = [
            (name, allowed.get(name)) for name, fits in self.page_actions.items() if fits(row)
        ]
        words = self.page_labels
        return Buttons(
            row, [(name, words.get(name) or str(each[2])) for name, each in offered if each]
        )

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is not None:
            viewer = current_user(request)
            shown = sections_for(row, viewer)
            for _, content in shown:
                for each in content.forms if isinstance(content, Part) else ():
                    each.form = returned_form(request, each.name) or each.form
            context = {
                **context,
                "links": self._links(row, viewer),
                "buttons": self.buttons(request, row),
                "above": [each for each in shown if not each[0].is_below],
                "below": [each for each in shown if each[0].is_below],
                "from_page": FROM_PAGE,
                "here": request.path,
                "checkbox": ACTION_CHECKBOX_NAME,
                # Not for adding rows, which has a page of its own.
                "show_save_and_add_another": False,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def _links(self, row: Any, viewer: User) -> list[Link]:
        related = [(words, each) for words, each in self.rows_around(row) if each is not None]
        pages = [(words, each, page_of(each, viewer)) for words, each in related]
        rows = [Link(f"{words} {each}", url) for words, each, url in pages if url]
        return [*rows, *self.other_links(row)]
