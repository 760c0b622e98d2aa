"""What sellers are paid, and what stops all payments out, to read; the console acts on both."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.backoffice.admin import LookupAdmin, ReadOnlyAdmin, ReadOnlyInline
from accounts.backoffice.csv_download import DownloadAdmin
from accounts.models import User
from omachemainproj.phones import normalise_phone
from payments.backoffice.resolve_money_in import tidy_number
from payments.models import Payout, PayoutDay, PayoutStop, RefundDay, SellerShare

from .lookup import find_orders, find_transfers


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
        return find_transfers(Payout, term) or _find_seller(term)


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
        payouts = Payout.objects.filter(number=tidy_number(term)).exclude(number="")
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


@admin.register(RefundDay)
class RefundDayAdmin(ReadOnlyAdmin):
    """What left to buyers, day by day."""

    list_display = ("day", "sent")
    ordering = ("-day",)


@admin.register(PayoutStop)
class PayoutStopAdmin(ReadOnlyAdmin):
    """When nothing could leave the shop, and why. The console ends one."""

    list_display = ("reason", "is_open", "created_at", "ended_at")
    list_filter = ("is_open",)
    ordering = ("-pk",)


def _find_seller(term: str) -> dict[str, Any]:
    """The filter for what sellers are paid: by the phone it goes to, or by user name."""
    try:
        return {"phone": normalise_phone(term)}
    except ValueError:
        seller = User.objects.filter(username__iexact=term).values_list("pk", flat=True).first()
        return {"seller": seller} if seller else {}
