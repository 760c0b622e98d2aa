"""The admin's pages of the audit log."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from accounts.backoffice.audit_entries import column_label, format_value
from accounts.backoffice.change_list import COUNT_AT_MOST
from accounts.backoffice.read_only_admin import ReadOnlyAdmin
from accounts.models import Audit, User
from omachemainproj.text import fold_identifier


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    """The audit log, read-only: nobody changes or deletes an entry, not even superusers."""

    page_name = "Audit entry:"

    list_display = ("did", "object_name", "actor", "at", "why", "content_type")
    list_filter = ("at",)
    list_select_related = ("actor", "content_type")
    ordering = ("-pk",)
    search_fields = ("=object_id", "actor__username__iexact")
    search_help_text = "Search by the user name of the person who acted, or by the record's ID."
    fields = ("did", "object_name", "content_type", "object_id", "actor", "at", "why", "values")
    readonly_fields = ("values",)

    @admin.display(description="Before and after")
    def values(self, entry: Audit) -> str:
        """Each changed value on its own line, or only the new value for an added row."""
        model = entry.content_type.model_class()
        changes = [
            (
                column_label(model, name),
                "" if before is None else f"{format_value(model, name, before)} → ",
                format_value(model, name, after),
            )
            for name, (before, after) in entry.changes.items()
        ]
        return format_html_join("", "<p>{}: {}{}</p>", changes) or "nothing"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Audit], search_term: str
    ) -> tuple[QuerySet[Audit], bool]:
        term = fold_identifier(search_term)
        if not term or " " in term:
            return super().get_search_results(request, queryset, search_term)
        # Two queries, one per index; joined with OR they would use neither.
        to_row = Audit.objects.filter(content_type__in=ContentType.objects.all(), object_id=term)
        by_them = Audit.objects.filter(actor__in=User.objects.called(term))
        newest = [found.order_by("-pk").values("pk")[:COUNT_AT_MOST] for found in (to_row, by_them)]
        found = sorted({row["pk"] for rows in newest for row in rows}, reverse=True)
        return queryset.filter(pk__in=found[:COUNT_AT_MOST]), False
