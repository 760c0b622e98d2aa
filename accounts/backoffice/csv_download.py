"""Downloads of the admin's lists as CSV, for staff with permission; each download is logged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone

from accounts.authentication import current_user
from omachemainproj.csv_files import write_sheet
from omachemainproj.phones import mask_phone

from . import audit
from .columns import PHONES
from .read_only_admin import LookupAdmin

#: Rows per query, so that no query is long and no cursor is held open between two.
BATCH = 2000


class DownloadAdmin(LookupAdmin):
    """A list whose selected rows, or all that a filter shows, can be downloaded as CSV.

    A list must name ``download`` in its actions. The file has all columns except secrets and those
    that the user's page omits.
    """

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whether this user may download rows."""
        return request.user.has_perm("accounts.export_rows")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with a button that downloads all its rows."""
        context = {
            "may_download": self.has_export_permission(request),
            "checkbox": ACTION_CHECKBOX_NAME,
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def _masks(self, request: HttpRequest) -> frozenset[str]:
        """The columns masked for this user except for the last digits, since files leak."""
        may_have_phones = request.user.has_perm("accounts.export_phones")
        return frozenset() if may_have_phones else PHONES

    @admin.action(description="Download as CSV", permissions=["export"])
    def download(self, request: HttpRequest, rows: QuerySet[Any]) -> StreamingHttpResponse:
        hidden = {*(self.get_exclude(request) or ())}
        columns = [
            field.attname
            for field in self.model._meta.concrete_fields
            if audit.is_logged(field) and field.name not in hidden
        ]
        request_details = {
            "list": [None, request.GET.urlencode()],
            "rows": [None, _chosen(request)],
        }
        audit.log(
            current_user(request),
            "Downloaded as CSV",
            None,
            action=audit.DOWNLOADED,
            kind=self.model,
            changes=request_details,
        )
        response = StreamingHttpResponse(
            write_sheet(columns, batches(rows, columns, self._masks(request))),
            content_type="text/csv; charset=utf-8",
        )
        name = f"{self.opts.model_name}-{timezone.localdate():%Y-%m-%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def batches(
    rows: QuerySet[Any], columns: Sequence[str], masked: frozenset[str] = frozenset()
) -> Iterator[list[list[Any]]]:
    """These columns of the rows, newest first, in batches of 2000. One query per batch."""
    newest = rows.order_by("-pk").values_list("pk", *columns)
    batch = list(newest[:BATCH])
    while batch:
        yield [
            [
                mask_phone(str(value)) if column in masked else _cell(value)
                for column, value in zip(columns, values, strict=True)
            ]
            for _, *values in batch
        ]
        batch = list(newest.filter(pk__lt=batch[-1][0])[:BATCH])


def _chosen(request: HttpRequest) -> Any:
    if request.POST.get("select_across") == "1":
        return "all of them"
    return request.POST.getlist(ACTION_CHECKBOX_NAME)


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
    return value
