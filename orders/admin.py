"""Orders and their lines, to look at; what may be done is an action that calls a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from omachemainproj.admin import LookupAdmin, ReadOnlyInline
from omachemainproj.deeds import deed

from .lookup import find_orders
from .models import Order, OrderTrack, PaymentStatus, TrackEvent, TrackStatus
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

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.decide_lines")

    @deed("Cancel, and free the goods (unpaid orders only)", permissions=["decide"])
    def cancel(order: Order, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        cancel_order(order.pk)


class WayFilter(admin.ChoicesFieldListFilter):
    """Lines by where they are. New ones are found by their unpaid orders, which have an index."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        found = super().queryset(request, queryset)
        if found is not None and TrackStatus.CREATED in (self.lookup_val or ()):
            return found.filter(order__payment_status=PaymentStatus.REQUESTED)
        return found


@admin.register(OrderTrack)
class OrderTrackAdmin(LookupAdmin):
    """Every line sold, with its way. Search as for orders."""

    list_display = ("name", "order", "seller", "number", "amount", "track_status", "updated_at")
    list_filter = (("track_status", WayFilter),)
    list_select_related = ("order", "seller")
    ordering = ("-pk",)
    search_help_text = "Order token, reference, phone or buyer."
    inlines = [TrackEventInline]
    #: Typed at the door, it proves a delivery: whoever delivers must not read it here.
    exclude = ("collection_code",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        return [name for name in fields if name not in self.exclude]

    def find(self, term: str) -> dict[str, Any]:
        found = find_orders(term)
        return {f"order__{name}": value for name, value in found.items()}
