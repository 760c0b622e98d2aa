"""The ledger, read-only: it is never edited manually."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from accounts.backoffice.change_list import COUNT_AT_MOST
from accounts.backoffice.read_only_admin import LookupAdmin
from accounts.backoffice.row_page import RowPage
from payments.models import LedgerEntry, LedgerPosting

from .money_lookup import find_orders


@admin.register(LedgerPosting)
class LedgerPostingAdmin(RowPage, LookupAdmin):
    """Every event that moved money, with its entries."""

    list_display = ("event", "receipt", "refund", "payout", "share", "created_at")
    list_select_related = ("receipt", "refund", "payout", "share")
    ordering = ("-pk",)
    search_help_text = "An event, such as “receipt:12”, or anything that finds the order."

    def find(self, term: str) -> dict[str, Any]:
        if LedgerPosting.objects.filter(event=term).exists():
            return {"event": term}
        orders = find_orders(term)
        if not orders:
            return {}
        entries = LedgerEntry.objects.filter(**{f"order__{name}": v for name, v in orders.items()})
        newest = entries.order_by("-pk").values_list("posting", flat=True)
        return {"pk__in": set(newest[:COUNT_AT_MOST])}


@admin.register(LedgerEntry)
class LedgerEntryAdmin(LookupAdmin):
    """Every side of every posting."""

    list_display = ("posting", "amount", "side", "account", "order", "seller")
    list_filter = ("account", "side")
    list_select_related = ("posting", "order", "seller")
    ordering = ("-pk",)
    search_help_text = "An event, such as “receipt:12”, or anything that finds the order."

    def find(self, term: str) -> dict[str, Any]:
        posting = LedgerPosting.objects.filter(event=term).values_list("pk", flat=True).first()
        if posting:
            return {"posting": posting}
        return {f"order__{name}": value for name, value in find_orders(term).items()}
