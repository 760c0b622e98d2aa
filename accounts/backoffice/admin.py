"""Base classes of the admin's pages: lists that count no whole table, and logged changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import DateField, Field, Model, QuerySet
from django.forms import BaseForm, ModelForm
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.text import capfirst

from accounts.authentication import current_user
from omachemainproj.text import clean_shown, fold_identifier

from . import audit
from .columns import LABELS, column, field_of_page
from .formats import NOTHING, dial_in
from .interest import OwnInterest, find_parties, has_interest, is_declared, log_refusal
from .rooms import find_shelf

admin.site.site_header = "O-Mache"
admin.site.site_title = "O-Mache"
admin.site.index_title = "Running the shop"
admin.site.site_url = "/shop/"

#: The pages of libraries' tables, which nobody here works with.
for _model in [
    model
    for model in admin.site._registry
    if model._meta.app_label in {"account", "mfa", "socialaccount", "token_blacklist"}
]:
    admin.site.unregister(_model)

#: The lookups of a list's filters: Django's own for a choice, a switch and what is empty, for the
#: key of another row, and for a time.
WHOLE_VALUES = frozenset({"exact", "in", "isnull", "isempty", "id", "pk"})
SPANS = frozenset({"gte", "gt", "lte", "lt", "year", "month", "day"})

#: What stands in a list of actions before one is chosen.
CHOOSE = [("", "Choose what to do with them")]

#: How many rows a list can be paged through; further ones are found by search or filter.
COUNT_AT_MOST = 1000


class BoundedPaginator(Paginator):
    """Counts at most 1000 rows, so that a list of a million opens as fast as one of a hundred."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or 1000 when there are more."""
        rows: Any = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[:COUNT_AT_MOST].count()
        return min(len(rows), COUNT_AT_MOST)


class ShopList(ChangeList):
    """A list in its own order, whatever order the URL asks for, under the name of its shelf."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_popup:
            self.title = find_shelf(self.opts)[1].name

    def get_results(self, request: HttpRequest) -> None:
        """The rows; where there are none, there is nothing to do with them."""
        super().get_results(request)
        self.show_admin_actions = self.show_admin_actions and bool(self.result_list)

    def get_filters(self, request: HttpRequest) -> Any:
        """The filters, each called what its column is called."""
        filters, *rest = super().get_filters(request)
        labels = {**LABELS, **getattr(self.model_admin, "labels", {})}
        for each in filters:
            each.title = labels.get(getattr(each, "field_path", ""), each.title)
        return filters, *rest

    def get_ordering_field(self, field_name: Any) -> Any:
        if self.sortable_by is not None and field_name not in self.sortable_by:
            return None
        return super().get_ordering_field(field_name)


class WithOrWithout(admin.EmptyFieldListFilter):
    """Rows by whether a column says anything, in words."""

    def choices(self, changelist: ChangeList) -> Any:
        words = {"All": "all", "Empty": "without", "Not empty": "with"}
        for choice in super().choices(changelist):
            yield {**choice, "display": words.get(str(choice["display"]), choice["display"])}


class KnownChoices(forms.ModelMultipleChoiceField):
    """Rows of which each is one there is: an id that no column can hold is none of them."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError as error:
            # SQLite does not look for it at all.
            raise ValidationError("One of these is none of the choices.") from error


class ShopAdmin(admin.ModelAdmin):
    """The base of the shop's admin pages: 50 rows a page, nothing counted or sorted in full.

    Whatever a form adds, changes or deletes is logged with each value before and after
    (accounts.backoffice.audit). Actions are logged by accounts.backoffice.actions.
    """

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    paginator = BoundedPaginator
    #: Counting by filter, or sorting by what no index holds, reads a whole table.
    show_facets = admin.ShowFacets.NEVER
    sortable_by: ClassVar[Any] = ()
    empty_value_display = NOTHING
    #: What a new row is called; empty for what its model is called.
    kind: ClassVar[str] = ""
    #: What a row is, before its name on its page; empty for what its model is called.
    page_name: ClassVar[str] = ""
    #: What this list calls its columns, where columns.LABELS says otherwise or nothing.
    labels: ClassVar[dict[str, str]] = {}

    #: What stands in a choice that is left open, by column, where a dash would not say it.
    words_of_none: ClassVar[dict[str, str]] = {}

    #: How what is typed into a column is read before it is checked; all other texts are cleaned
    #: as they are shown (omachemainproj.text.clean_shown).
    normalisers: ClassVar[dict[str, Callable[[str], str]]] = {}

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # Rows of another kind are made on their own page, and not in a window of this one.
            field.widget = field.widget.widget
        if isinstance(field, forms.CharField):
            read_text(field, self.normalisers.get(db_field.name, clean_shown))
        return field

    def formfield_for_choice_field(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if "choices" not in kwargs:
            kwargs["choices"] = db_field.get_choices(
                include_blank=db_field.blank or not db_field.has_default(),
                blank_choice=[("", self.words_of_none.get(db_field.name) or _none_of(db_field))],
            )
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        kwargs.setdefault("form_class", KnownChoices)
        if db_field.name in self.filter_horizontal:
            # Django's two lists name a picture's box as no screen reader may be told.
            kwargs.setdefault("widget", forms.CheckboxSelectMultiple())
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, fold_identifier(search_term))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns, each written as what is in it (columns.py)."""
        names = super().get_list_display(request)
        return [
            column(self.model, each, self.labels) if isinstance(each, str) else each
            for each in names
        ]

    def cells_of(self, request: HttpRequest, names: Sequence[Any]) -> list[Any]:
        """Columns as a row's page shows them, called and written as in a list (columns.py)."""
        # Django asks several times a page, and looks for the same cells each time.
        known: dict[Any, Any] = request.__dict__.setdefault("cells_of_rows", {})
        viewer = current_user(request)
        return [
            known.setdefault(
                (self.model, name), field_of_page(self.model, name, self.labels, viewer)
            )
            for name in names
        ]

    def get_action_choices(self, request: HttpRequest, default_choices: Any = CHOOSE) -> Any:
        return super().get_action_choices(request, default_choices)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ShopList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list. Raises IncorrectLookupParameters, which the list's page says, for filters that
        no database can compare: the year 0, or a number of 25 digits."""
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError, DataError) as error:
            raise IncorrectLookupParameters from error

    # The stubs are of a later Django, which passes one more.
    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> Any:
        """What came of an action; None where a chosen row has an id that no row can have."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(map(self._may_be_an_id, chosen)):
            messages.error(request, "One of the chosen rows does not exist. Choose again.")
            return None
        return super().response_action(request, queryset)

    def _may_be_an_id(self, typed: str) -> bool:
        try:
            self.opts.pk.run_validators(self.opts.pk.to_python(typed))
        except ValidationError:
            return False
        return True

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow filters by whole values of columns that may be seen, and by times.

        A part of a text, its order or a pattern would reveal the text letter by letter, and a
        hidden column may not even be compared.
        """
        column, *rest = lookup.split("__")
        hidden = {*audit.SECRETS, *(self.get_exclude(request) or ())}
        if column in hidden or not {*rest[-1:]} <= self._lookups_of(column):
            return False
        return super().lookup_allowed(lookup, value, request)

    def _lookups_of(self, column: str) -> Set[str]:
        try:
            field = self.opts.get_field(column)
        except FieldDoesNotExist:
            return WHOLE_VALUES
        return WHOLE_VALUES | SPANS if isinstance(field, DateField) else WHOLE_VALUES

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a row in which they have a part (accounts.backoffice.interest)."""
        return super().has_change_permission(request, obj) and not self.is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not self.is_own(request, obj)

    def is_own(self, request: HttpRequest, obj: Model | None) -> bool:
        """Whether who asks has a part in a row."""
        if obj is None or not is_declared(type(obj)):
            return False
        # Asked several times a page: the answer costs a query.
        known: dict[Any, bool] = request.__dict__.setdefault("own_rows", {})
        key = (type(obj), obj.pk)
        if key not in known:
            known[key] = has_interest(current_user(request), find_parties(obj))
        return known[key]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Say why, where somebody sends a change of a row in which they have a part."""
        if object_id is not None and request.method == "POST":
            row = self.get_object(request, object_id)
            if row is not None and self.may_but_for_interest(request, row):
                log_refusal(current_user(request), "Change", row)
                messages.error(request, OwnInterest.message)
                return redirect(request.path)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def may_but_for_interest(self, request: HttpRequest, row: Model) -> bool:
        """Whether it is their part in a row, and nothing else, that keeps somebody from it."""
        return self.has_change_permission(request) and self.is_own(request, row)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """A row's page or form, called what it shows and not what Django does there."""
        kind, row = self.kind or str(self.opts.verbose_name), context.get("original")
        title = f"New {kind}" if row is None else f"{self.page_name or capfirst(kind)} {row}"
        own = {"title": dial_in(title), "subtitle": None}
        return super().render_change_form(request, {**context, **own}, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        title = {"title": f"What staff did with {row}"} if row is not None else {}
        return super().history_view(request, object_id, {**title, **(extra_context or {})})

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """Django's message, and the changed values, which ``log_addition`` and others log."""
        message: Any = super().construct_change_message(request, form, formsets, add)
        values = dict(_changes_of(form))
        for row in (each for formset in formsets or () for each in formset.forms):
            values.update(_changes_of(row, f"{row.instance._meta.verbose_name} {row.instance.pk}"))
        return [*message, {"values": values}]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        own_message, _ = _split(message)
        changes = audit.difference({}, {**audit.values_of(obj), **audit.rows_named_by(obj)})
        audit.log(current_user(request), "Added", obj, changes=changes)
        return super().log_addition(request, obj, own_message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        own_message, changes = _split(message)
        did = message if isinstance(message, str) else "Changed"
        audit.log(current_user(request), did, obj, changes=changes)
        return super().log_change(request, obj, own_message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            changes = audit.difference(audit.values_of(row), {})
            audit.log(current_user(request), "Deleted", row, changes=changes)
        return super().log_deletions(request, queryset)


def _none_of(field: Any) -> str:
    """What stands in a choice that may be left open, and in one that may not."""
    return "–" if field.blank else "Choose one"


def read_text(field: forms.CharField, normalise: Callable[[str], str]) -> None:
    """Have a form's field read what is typed in its normal form, before it is checked."""
    to_python = field.to_python

    def read(typed: Any) -> Any:
        return to_python(normalise(typed) if isinstance(typed, str) else typed)

    field.to_python = read  # type: ignore[method-assign,assignment]


def _split(message: Any) -> tuple[Any, audit.Changes]:
    """Django's own message of a change, and the values ``construct_change_message`` added."""
    if isinstance(message, str):
        return message, {}
    values: audit.Changes = next((part["values"] for part in message if "values" in part), {})
    return [part for part in message if "values" not in part], values


def _changes_of(form: BaseForm, inline: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The changes of a form that is saved by now: column by column, before and after.

    ``inline`` names the row, where it is one below the form's own.
    """
    row = form.instance if isinstance(form, ModelForm) else None
    if inline and "DELETE" in form.changed_data:
        yield inline, [str(row), None]
        return
    now = model_to_dict(row) if row is not None and row.pk else {}
    for name in form.changed_data:
        before, after = audit.HIDDEN, audit.HIDDEN
        if name in now and name not in audit.SECRETS:
            before, after = audit.plain(form.initial.get(name)), audit.plain(now[name])
        yield (f"{inline}: {name}" if inline else name), [before, after]


class ReadOnlyAdmin(ShopAdmin):
    """Shows rows and changes none: money and statuses move by actions that call services.

    Secrets (audit.SECRETS) are shown to nobody, not even to superusers.
    """

    actions_on_bottom = True

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """The columns that are on no page: secrets."""
        secrets = [f.name for f in self.opts.concrete_fields if f.name in audit.SECRETS]
        return [*(super().get_exclude(request, obj) or ()), *secrets]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        names = self._names(request, obj)
        return [*names, *self.cells_of(request, names)]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """The columns, each called and written as it is in a list (columns.py)."""
        return self.cells_of(request, self.fields or self._names(request, obj))

    def _names(self, request: HttpRequest, obj: Model | None) -> list[str]:
        shown = list(self.readonly_fields)
        left_out = {*shown, *self.get_exclude(request, obj)}
        return shown + [
            field.name for field in self.opts.concrete_fields if field.name not in left_out
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Even a form without fields saves its whole row, as it was when it was read.
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LookupAdmin(ReadOnlyAdmin):
    """A read-only list that is searched by exact, indexed values, never by scanning."""

    #: Django shows the search box for it; ``find`` does the search.
    search_fields = ("pk",)

    def find(self, term: str) -> dict[str, Any]:
        """Return the filter for what was typed, or an empty one when nothing matches."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = fold_identifier(search_term)
        if not term:
            return queryset, False
        found = self.find(term)
        return (queryset.filter(**found) if found else queryset.none()), False
