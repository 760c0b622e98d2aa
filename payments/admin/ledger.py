"""The books and what sellers are paid, to read: neither is ever written by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.backoffice.admin import COUNT_AT_MOST, LookupAdmin, ReadOnlyAdmin, ReadOnlyInline
from accounts.backoffice.csv_download import DownloadAdmin
from accounts.models import User
from omachemainproj.phones import normalise_phone
from payments.models import LedgerEntry, LedgerPosting, Payout, PayoutDay, SellerShare

from .lookup import find_orders


class EntryInline(ReadOnlyInline):
    model = LedgerEntry
    fields = ("account", "side", "amount", "order", "seller")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        return super().get_queryset(request).select_related("order", "seller")


@admin.register(LedgerPosting)
class LedgerPostingAdmin(LookupAdmin):
    """Every event that moved money, with its entries."""

    list_display = ("event", "receipt", "refund", "payout", "share", "created_at")
    list_select_related = ("receipt", "refund", "payout", "share")
    ordering = ("-pk",)
    search_help_text = "An event, like “receipt:12”, or whatever finds the order."
    inlines = [EntryInline]

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

    list_display = ("posting", "account", "side", "amount", "order", "seller")
    list_filter = ("account", "side")
    list_select_related = ("posting", "order", "seller")
    ordering = ("-pk",)
    search_help_text = "An event, like “receipt:12”, or whatever finds the order."

    def find(self, term: str) -> dict[str, Any]:
        posting = LedgerPosting.objects.filter(event=term).values_list("pk", flat=True).first()
        if posting:
            return {"posting": posting}
        return {f"order__{name}": value for name, value in find_orders(term).items()}


class ShareInline(ReadOnlyInline):
    model = SellerShare
    fields = ("track", "sold_for", "commission", "amount", "tries", "reversed_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[SellerShare]:
        return super().get_queryset(request).select_related("track")


@admin.register(Payout)
class PayoutAdmin(DownloadAdmin):
    """Every try to pay a seller."""

    list_display = (
        "__str__",
        "seller",
        "phone",
        "gross",
        "number",
        "result_text",
        "created_at",
        "next_check_at",
    )
    list_filter = ("status", "needs_approval", "unseen")
    list_select_related = ("seller",)
    ordering = ("-pk",)
    search_help_text = "A seller's user name, a phone, M-Pesa's number of the payout, or our id."
    inlines = [ShareInline]
    actions = ["download"]

    def find(self, term: str) -> dict[str, Any]:
        number = term.replace(" ", "").upper()
        # Said in the index's own words, or it is not used.
        if Payout.objects.filter(number=number).exclude(number="").exists():
            return {"number": number}
        if Payout.objects.filter(originator_conversation_id=term).exists():
            return {"originator_conversation_id": term}
        return _find_seller(term)


@admin.register(SellerShare)
class SellerShareAdmin(LookupAdmin):
    """What sellers are owed, line by line, and the payout that carries it."""

    list_display = (
        "track",
        "seller",
        "phone",
        "sold_for",
        "commission",
        "amount",
        "payout",
        "tries",
        "created_at",
        "reversed_at",
    )
    list_filter = (
        ("payout", admin.EmptyFieldListFilter),
        ("reversed_at", admin.EmptyFieldListFilter),
        "payout__status",
    )
    list_select_related = ("track", "seller", "payout")
    ordering = ("-pk",)
    search_help_text = (
        "A seller's user name, a phone, M-Pesa's number of the payout, or an order's reference."
    )

    def find(self, term: str) -> dict[str, Any]:
        number = term.replace(" ", "").upper()
        payouts = Payout.objects.filter(number=number).exclude(number="")
        payout = payouts.values_list("pk", flat=True).first()
        if payout:
            return {"payout": payout}
        found = _find_seller(term)
        if found:
            return found
        return {f"track__order__{name}": value for name, value in find_orders(term).items()}


@admin.register(PayoutDay)
class PayoutDayAdmin(ReadOnlyAdmin):
    """What left to sellers, day by day."""

    list_display = ("day", "sent")
    ordering = ("-day",)


def _find_seller(term: str) -> dict[str, Any]:
    """The filter for what sellers are paid: by the phone it goes to, or by user name."""
    try:
        return {"phone": normalise_phone(term)}
    except ValueError:
        seller = User.objects.filter(username__iexact=term).values_list("pk", flat=True).first()
        return {"seller": seller} if seller else {}
