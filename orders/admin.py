"""Orders and their lines, to look at; what may be done is an action that calls a service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from omachemainproj.admin import LookupAdmin, ReadOnlyInline
from omachemainproj.errors import Refusal

from .lookup import find_orders
from .models import Order, OrderTrack, TrackEvent
from .services import cancel_order


class TrackInline(ReadOnlyInline):
    model = OrderTrack
    fields = ("name", "seller", "number", "price", "amount", "track_status", "updated_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderTrack]:
        return super().get_queryset(request).select_related("seller")


class TrackEventInline(ReadOnlyInline):
    model = TrackEvent
    fields = ("track_status", "actor", "note", "created_at")
    readonly_fields = fields
    show_change_link = False


class OrderAdmin(LookupAdmin):
    """Search by order token, reference, phone (any spelling) or the buyer's user name."""

    list_display = (
        "reference",
        "buyer",
        "amount",
        "payment_status",
        "mpesa_number",
        "created_at",
        "expires_at",
    )
    list_filter = ("payment_status",)
    list_select_related = ("buyer",)
    ordering = ("-pk",)
    search_help_text = "Order token, reference, phone, buyer or M-Pesa receipt, as it was read out."
    inlines = [TrackInline]
    actions = ["cancel"]

    def find(self, term: str) -> dict[str, Any]:
        return find_orders(term)

    @admin.action(description="Cancel, and free the goods (unpaid orders only)")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        cancelled = 0
        for order in queryset:
            try:
                cancel_order(order.pk)
                cancelled += 1
                self.log_change(request, order, "Cancelled.")
            except Refusal as refusal:
                self.message_user(request, f"{order.reference}: {refusal}", messages.WARNING)
        self.message_user(request, f"{cancelled} cancelled.")


@admin.register(OrderTrack)
class OrderTrackAdmin(LookupAdmin):
    """Every line sold, with its way. Search as for orders."""

    list_display = ("name", "order", "seller", "number", "amount", "track_status", "updated_at")
    list_filter = ("track_status",)
    list_select_related = ("order", "seller")
    ordering = ("-pk",)
    search_help_text = "Order token, reference, phone or buyer."
    inlines = [TrackEventInline]

    def find(self, term: str) -> dict[str, Any]:
        found = find_orders(term)
        return {f"order__{name}": value for name, value in found.items()}
