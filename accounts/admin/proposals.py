"""The admin's pages of proposals."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join

from accounts.authentication import current_user
from accounts.backoffice.actions import FROM_PAGE, SUBMITTED, ReasonForm
from accounts.backoffice.audit_entries import column_label, format_value
from accounts.backoffice.formats import kes, moment
from accounts.backoffice.proposals import agree, keys_for, reject, waiting_for
from accounts.backoffice.read_only_admin import ReadOnlyAdmin
from accounts.backoffice.row_page import NEWEST, RowPage
from accounts.models import Proposal


@admin.register(Proposal)
class ProposalAdmin(RowPage, ReadOnlyAdmin):
    """Actions waiting for a second person, who approves or rejects them.

    Those that the viewer may decide are above the list, each with a form.
    """

    none_yet = "What one person may not decide alone is here until a second one does."

    change_list_template = "admin/accounts/proposals.html"
    change_form_template = "admin/accounts/proposal.html"
    page_name = "Proposal:"

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
        *("label", "where", "cost", "state", "why", "typed"),
        *("proposed_by", "proposed_at", "decided_by", "decided_at"),
    )
    readonly_fields = ("where", "typed")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        waiting = waiting_for(current_user(request)).select_related("proposed_by")
        cards = [self._card(proposal) for proposal in waiting[:NEWEST]]
        return super().changelist_view(
            request, {"waiting": cards, **_names(request), **(extra_context or {})}
        )

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        proposal = context["original"]
        waits = proposal.is_open and proposal.proposed_by_id != current_user(request).pk
        card = self._card(proposal) if waits else None
        return super().render_change_form(
            request, {**context, "card": card, **_names(request)}, *args, **kwargs
        )

    def _card(self, proposal: Proposal) -> dict[str, Any]:
        """What a second person reads before deciding, and the form to decide with."""
        facts = [
            ("What it is about", self.where(proposal)),
            ("Costs", kes(proposal.cost)),
            ("Proposed by", proposal.proposed_by),
            ("When", moment(proposal.proposed_at)),
            ("Their reason", proposal.why or "none given"),
        ]
        form = ReasonForm(auto_id=f"decide-{proposal.pk}-%s")
        form.fields["why"].label = "Your reason"
        return {"proposal": proposal, "facts": facts, "form": form}

    @admin.display(description="As typed")
    def typed(self, proposal: Proposal) -> str:
        model = proposal.content_type.model_class()
        rows = [
            (column_label(model, name), format_value(model, name, value))
            for name, value in proposal.given.items()
        ]
        return format_html_join("", "<p>{}: {}</p>", rows) or "nothing"

    @admin.display(description="What it is about")
    def where(self, proposal: Proposal) -> str:
        """A link to the record's own page."""
        if not proposal.object_id:
            return f"{proposal.object_name}: will be created once someone approves"
        kind = ContentType.objects.get_for_id(proposal.content_type_id)
        name = f"admin:{kind.app_label}_{kind.model}_change"
        try:
            url = reverse(name, args=[proposal.object_id])
        except NoReverseMatch:
            return proposal.object_name
        return format_html('<a href="{}">{}</a>', url, proposal.object_name)

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


def _names(request: HttpRequest) -> dict[str, str]:
    """The names of the hidden fields with which a card's form is posted."""
    return {
        "checkbox": ACTION_CHECKBOX_NAME,
        "submitted": SUBMITTED,
        "from_page": FROM_PAGE,
        "here": request.path,
    }
