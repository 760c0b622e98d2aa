"""The admin's frame, and what every list of the shop has in common: it never counts a table."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

admin.site.site_header = "O-Mache"
admin.site.site_title = "O-Mache"
admin.site.index_title = "Running the shop"
admin.site.site_url = "/docs/"

#: Tables of libraries that nobody here works with; they came with their own pages.
for _model in [
    model
    for model in admin.site._registry
    if model._meta.app_label in {"account", "socialaccount", "token_blacklist"}
]:
    admin.site.unregister(_model)

#: How many rows a list is paged through; beyond them a search or a filter is the way.
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


class ShopAdmin(admin.ModelAdmin):
    """The base of the shop's admin pages: 50 rows a page, nothing counted in full."""

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    paginator = BoundedPaginator


class ReadOnlyAdmin(ShopAdmin):
    """Shows rows and changes none: money and statuses move by actions that call services."""

    actions_on_bottom = True

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        shown = list(self.readonly_fields)
        return shown + [
            field.name for field in self.opts.concrete_fields if field.name not in shown
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline):
    """Rows that belong to the one shown, to look at."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LookupAdmin(ReadOnlyAdmin):
    """A read-only list that is searched by exact, indexed values, never by scanning."""

    #: Shows the search box; ``find`` does the work.
    search_fields = ("pk",)

    def find(self, term: str) -> dict[str, Any]:
        """Return the filter for what was typed, or an empty one when nothing matches."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = self.find(term)
        return (queryset.filter(**found) if found else queryset.none()), False
