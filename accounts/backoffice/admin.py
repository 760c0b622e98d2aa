"""Base classes of the admin's pages: lists that never count a whole table, and audited changes."""

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
from django.db import DataError
from django.db.models import DateField, Field, Model, QuerySet
from django.forms import BaseForm, ModelForm
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst

from accounts.authentication import current_user
from omachemainproj.text import clean_shown, fold_identifier

from . import audit
from .change_list import BoundedPaginator, ShopList
from .columns import column, field_of_page
from .conflicts import ConflictOfInterest, find_parties, is_declared, is_party, log_refusal
from .form_fields import KnownChoices, read_text
from .formats import EMPTY_VALUE, dial_in

admin.site.site_header = "O-Mache"
admin.site.site_title = "O-Mache"
admin.site.index_title = "Running the shop"
admin.site.site_url = "/shop/"

#: Libraries register admin pages for tables that nobody here works with.
for _model in [
    model
    for model in admin.site._registry
    if model._meta.app_label in {"account", "mfa", "socialaccount", "token_blacklist"}
]:
    admin.site.unregister(_model)

#: Lookups allowed in list filters: for choices, booleans, empty values and foreign keys; and for
#: times.
WHOLE_VALUES = frozenset({"exact", "in", "isnull", "isempty", "id", "pk"})
SPANS = frozenset({"gte", "gt", "lte", "lt", "year", "month", "day"})

#: Shown in the list of actions before one is chosen.
CHOOSE = [("", "Choose what to do with them")]


class ShopAdmin(admin.ModelAdmin):
    """The base of the shop's admin pages: 50 rows a page, nothing counted or sorted in full.

    Each row added, changed or deleted is recorded with its values before and after
    (accounts.backoffice.audit). Actions are recorded by accounts.backoffice.actions.
    """

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    paginator = BoundedPaginator
    #: Counting by filter, or sorting by a column without an index, reads a whole table.
    show_facets = admin.ShowFacets.NEVER
    sortable_by: ClassVar[Any] = ()
    empty_value_display = EMPTY_VALUE
    #: The name for a new row; empty for the model's verbose name.
    kind: ClassVar[str] = ""
    #: Comes before the row's name in its page title; empty for the model's verbose name.
    page_name: ClassVar[str] = ""
    #: Column labels of this list that differ from, or are not in, columns.LABELS.
    labels: ClassVar[dict[str, str]] = {}

    #: Shown in an empty list: where its rows come from.
    none_yet: ClassVar[str] = ""
    #: The label of an empty choice, by column, where a dash would be unclear.
    words_of_none: ClassVar[dict[str, str]] = {}

    #: Normalisers of typed text by column; other text columns use
    #: omachemainproj.text.clean_shown.
    normalisers: ClassVar[dict[str, Callable[[str], str]]] = {}

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # Related rows are created on their own page, not in a popup.
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
            # Django's filter_horizontal widget is not accessible to screen readers.
            kwargs.setdefault("widget", forms.CheckboxSelectMultiple())
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, fold_identifier(search_term))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns, formatted by their kind of value (columns.py)."""
        names = super().get_list_display(request)
        return [
            column(self.model, each, self.labels) if isinstance(each, str) else each
            for each in names
        ]

    def cells_of(self, request: HttpRequest, names: Sequence[Any]) -> list[Any]:
        """Columns for a row's page, labelled and formatted as in a list (columns.py)."""
        # Django asks several times per page and expects the same cell objects each time.
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
        """Allow filters by whole values of visible columns, and by times.

        Filters by part of a text, order or pattern would reveal it letter by letter, and hidden
        columns may not be compared at all.
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

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save a new row, or the changed fields: the whole row would undo what others changed."""
        if not change:
            obj.save()
        elif changed := self.changed_columns(obj, form):
            obj.save(update_fields=changed)

    def changed_columns(self, obj: Any, form: Any) -> set[str]:
        """The fields of the row that the form changed."""
        return {field.name for field in obj._meta.concrete_fields} & set(form.changed_data)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a row they are a party to (accounts.backoffice.conflicts)."""
        return super().has_change_permission(request, obj) and not self.is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not self.is_own(request, obj)

    def is_own(self, request: HttpRequest, obj: Model | None) -> bool:
        """Whether the user is a party to a row."""
        if obj is None or not is_declared(type(obj)):
            return False
        # Cached: asked several times per page, and each answer costs a query.
        known: dict[Any, bool] = request.__dict__.setdefault("own_rows", {})
        key = (type(obj), obj.pk)
        if key not in known:
            known[key] = is_party(current_user(request), find_parties(obj))
        return known[key]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Explain the refusal when a user submits a change to a row they are a party to."""
        if object_id is not None and request.method == "POST":
            row = self.get_object(request, object_id)
            if row is not None and self.is_stopped_by_conflict(request, row):
                log_refusal(current_user(request), "Change", row)
                messages.error(request, ConflictOfInterest.message)
                return redirect(request.path)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def is_stopped_by_conflict(self, request: HttpRequest, row: Model) -> bool:
        """Whether a conflict of interest is the only reason the user may not change a row."""
        return self.has_change_permission(request) and self.is_own(request, row)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Title the page by its row instead of by Django's action."""
        kind, row = self.kind or str(self.opts.verbose_name), context.get("original")
        title = f"New {kind}" if row is None else f"{self.page_name or capfirst(kind)} {row}"
        own = {"title": dial_in(title), "subtitle": None}
        return super().render_change_form(request, {**context, **own}, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        title = {"title": f"Audit log of {row}"} if row is not None else {}
        return super().history_view(request, object_id, {**title, **(extra_context or {})})

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """Django's message plus the changed values, which ``log_change`` and others record."""
        message: Any = super().construct_change_message(request, form, formsets, add)
        values = dict(_changes_of(form))
        for row in (each for formset in formsets or () for each in formset.forms):
            values.update(_changes_of(row, f"{row.instance._meta.verbose_name} {row.instance.pk}"))
        return [*message, {"values": values}]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        own_message, _ = _split(message)
        changes = audit.difference({}, {**audit.values_of(obj), **audit.rows_named_by(obj)})
        audit.log(current_user(request), "Added", obj, action=audit.ADDED, changes=changes)
        return super().log_addition(request, obj, own_message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        own_message, changes = _split(message)
        # A sentence of ours is about a list action, not about the row's form.
        sentence = message if isinstance(message, str) else ""
        audit.log(
            current_user(request),
            sentence or "Changed",
            obj,
            action=audit.REMARK if sentence else audit.CHANGED,
            changes=changes,
        )
        return super().log_change(request, obj, own_message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            changes = audit.difference(audit.values_of(row), {})
            audit.log(current_user(request), "Deleted", row, action=audit.DELETED, changes=changes)
        return super().log_deletions(request, queryset)


def _none_of(field: Any) -> str:
    """The label of the empty choice of an optional or a required field."""
    return "–" if field.blank else "Choose one"


def _split(message: Any) -> tuple[Any, audit.Changes]:
    """Split Django's change message from the values ``construct_change_message`` added."""
    if isinstance(message, str):
        return message, {}
    values: audit.Changes = next((part["values"] for part in message if "values" in part), {})
    return [part for part in message if "values" not in part], values


def _changes_of(form: BaseForm, inline: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The changes of a saved form: each column's value before and after.

    ``inline`` names the row if it is an inline row.
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
