"""What every admin list of the shop has in common: it never counts a whole table."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

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
