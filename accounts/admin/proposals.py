"""The admin's pages of proposals."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from accounts.authentication import current_user
from accounts.backoffice.proposals import agree, keys_for, reject, row_proposed_about
from accounts.backoffice.read_only_admin import ReadOnlyAdmin
from accounts.backoffice.recorded import name_in_words, value_in_words
from accounts.backoffice.row_page import RowPage
from accounts.models import Proposal


@admin.register(Proposal)
class ProposalAdmin(RowPage, ReadOnlyAdmin):
    """Actions waiting for a second person, who approves or rejects them."""

    page_name = "Proposal:"
    page_actions: ClassVar[Any] = {
        "agree": lambda proposal: proposal.is_open,
        "reject": lambda proposal: proposal.is_open,
    }

    list_display = (
        "label",
        "object_name",
        "cost",
        "state",
        "proposed_by",
        "why",
        "proposed_at",
        "decided_by",
    )
    list_filter = ("state",)
    labels: ClassVar[dict[str, str]] = {"label": "What", "cost": "Costs"}
    list_select_related = ("proposed_by", "decided_by")
    ordering = ("-pk",)
    search_fields = ("=object_id", "proposed_by__username__iexact")
    search_help_text = "Search by the user name of the proposer, or by the record's ID."
    actions = (agree, reject)
    fields = (
        *("label", "object_name", "where", "cost", "state", "why", "typed"),
        *("proposed_by", "proposed_at", "decided_by", "decided_at"),
    )
    readonly_fields = ("where", "typed")

    @admin.display(description="As typed")
    def typed(self, proposal: Proposal) -> str:
        model = proposal.content_type.model_class()
        told = [
            (name_in_words(model, name), value_in_words(model, name, value))
            for name, value in proposal.given.items()
        ]
        return format_html_join("", "<p>{}: {}</p>", told) or "nothing"

    @admin.display(description="What it is about")
    def where(self, proposal: Proposal) -> str:
        """A link to the record's own page, for users who may see it."""
        row = row_proposed_about(proposal)
        if row is None:
            return "will be created once someone approves"
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return format_html('<a href="{}">{}</a>', reverse(name, args=[row.pk]), row)

    def has_view_permission(self, request: HttpRequest, obj: Proposal | None = None) -> bool:
        """Users see the proposals they may approve, and the list if they may approve any."""
        if obj is None:
            return request.user.is_active and bool(keys_for(current_user(request)))
        return obj.action in keys_for(current_user(request))

    def has_second_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        return super().get_queryset(request).filter(action__in=keys_for(current_user(request)))
