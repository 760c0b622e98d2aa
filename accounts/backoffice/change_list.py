"""The list page of a model: its paginator, columns and filters."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from .columns import LABELS
from .sidebar import find_list

#: How many rows a list can be paged through; further ones are found by search or filter.
COUNT_AT_MOST = 1000


class BoundedPaginator(Paginator):
    """Counts at most 1000 rows, so that a list of a million opens as fast as one of a hundred."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most 1000."""
        rows: Any = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[:COUNT_AT_MOST].count()
        return min(len(rows), COUNT_AT_MOST)


class ShopList(ChangeList):
    """A list with a fixed order, whatever the URL asks for, and its sidebar entry's name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_popup:
            self.title = find_list(self.opts)[1].name

    def get_results(self, request: HttpRequest) -> None:
        """Hide the actions of an empty list."""
        super().get_results(request)
        self.show_admin_actions = self.show_admin_actions and bool(self.result_list)

    def get_filters(self, request: HttpRequest) -> Any:
        """The filters, named like their columns."""
        filters, *rest = super().get_filters(request)
        labels = {**LABELS, **getattr(self.model_admin, "labels", {})}
        for each in filters:
            each.title = labels.get(getattr(each, "field_path", ""), each.title)
        return filters, *rest

    def get_ordering_field(self, field_name: Any) -> Any:
        if self.sortable_by is not None and field_name not in self.sortable_by:
            return None
        return super().get_ordering_field(field_name)


class HasValueFilter(admin.EmptyFieldListFilter):
    """Filters by whether a column is empty, with plain labels."""

    def choices(self, changelist: ChangeList) -> Any:
        words = {"All": "all", "Empty": "without", "Not empty": "with"}
        for choice in super().choices(changelist):
            yield {**choice, "display": words.get(str(choice["display"]), choice["display"])}
