"""Admin pages of models that are only read."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from omachemainproj.text import fold_identifier

from . import audit
from .admin import ShopAdmin


class ReadOnlyAdmin(ShopAdmin):
    """Shows rows read-only: money and statuses change through actions that call services.

    Secrets (audit.SECRETS) are hidden from everyone, superusers included.
    """

    actions_on_bottom = True

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Hide secret columns."""
        secrets = [f.name for f in self.opts.concrete_fields if f.name in audit.SECRETS]
        return [*(super().get_exclude(request, obj) or ()), *secrets]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        names = self._names(request, obj)
        return [*names, *self.cells_of(request, names)]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """The columns, labelled and formatted as in a list (columns.py)."""
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
        # Even a form without fields saves the whole row as it was read, undoing concurrent changes.
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LookupAdmin(ReadOnlyAdmin):
    """A read-only list searched by exact, indexed values, never by scanning."""

    #: Makes Django show the search box; ``find`` does the search.
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
