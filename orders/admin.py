"""Orders, their lines and messages, read-only; every change is an action that calls a service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.authentication import current_user
from accounts.backoffice.actions import FROM_PAGE, decides_about_rows, staff_action
from accounts.backoffice.admin import LookupAdmin, ReadOnlyAdmin, ReadOnlyInline
from accounts.backoffice.csv_download import DownloadAdmin
from accounts.models import User
from accounts.validators import normalise_email
from omachemainproj.phones import normalise_phone
from omachemainproj.text import fold_identifier

from .delivery.admin import DeliveryRateAdmin, PickupPointAdmin
from .fulfilment_actions import ACTIONS, actions_for
from .lifecycle import cancel_order
from .lookup import find_orders
from .models import (
    CancelledBy,
    DeliveryRate,
    Order,
    OrderTrack,
    PaymentStatus,
    PickupPoint,
    Problem,
    TrackEvent,
    TrackStatus,
)
from .models.notifications import Message
from .notifications.sending import send_again

admin.site.register(PickupPoint, PickupPointAdmin)
admin.site.register(DeliveryRate, DeliveryRateAdmin)

_CODE = re.compile(r"\b[0-9]{6}\b")


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


class OrderAdmin(DownloadAdmin):
    """An order with its lines. Registered in payments.admin, with its payments."""

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
    actions = ["cancel", "download"]

    def find(self, term: str) -> dict[str, Any]:
        return find_orders(term)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.decide_lines")

    @staff_action("Cancel, and free the goods (unpaid orders only)", permissions=["decide"])
    def cancel(order: Order, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        cancel_order(order.pk, by=CancelledBy.STAFF)


class TrackStatusFilter(admin.ChoicesFieldListFilter):
    """Lines by status. New ones are found by their unpaid orders, which have an index."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        found = super().queryset(request, queryset)
        if found is not None and TrackStatus.CREATED in (self.lookup_val or ()):
            return found.filter(order__payment_status=PaymentStatus.REQUESTED)
        return found


class OrderTrackAdmin(DownloadAdmin):
    """Every line sold, its history, and what moves it on. Registered in payments.admin."""

    list_display = ("name", "order", "seller", "number", "amount", "track_status", "updated_at")
    list_filter = (("track_status", TrackStatusFilter),)
    list_select_related = ("order", "seller")
    ordering = ("-pk",)
    search_help_text = "Order token, reference, phone or buyer."
    inlines = [TrackEventInline]
    actions = [*ACTIONS.values(), "download"]
    #: What the seller is paid, and where: hidden from delivery agents.
    money = ("payment_mpesa_number", "commission")

    def find(self, term: str) -> dict[str, Any]:
        found = find_orders(term)
        return {f"order__{name}": value for name, value in found.items()}

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        hidden = () if request.user.has_perm("orders.view_order") else self.money
        return [*super().get_exclude(request, obj), *hidden]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by token or reference only, for staff who may not see orders: not by people."""
        term = fold_identifier(search_term)
        if term and not request.user.has_perm("orders.view_order"):
            found = self.find(term)
            is_of_an_order = found.keys() & {"order__order_token", "order__reference"}
            return queryset.filter(**found) if is_of_an_order else queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.decide_lines")

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.move_track") or self.has_decide_permission(request)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        line = context["original"]
        shown = {"line_actions": actions_for(line, current_user(request)), "from_page": FROM_PAGE}
        shown["checkbox"] = ACTION_CHECKBOX_NAME
        return super().render_change_form(request, {**context, **shown}, *args, **kwargs)


@admin.register(Problem)
class ProblemAdmin(ReadOnlyAdmin):
    """Problems with goods, to find one: each is read and decided on the console."""

    list_display = ("__str__", "track", "seller", "state", "outcome", "refunded", "opened_at")
    list_filter = ("state", "kind", "outcome")
    list_select_related = ("track", "seller")
    ordering = ("-pk",)


@admin.register(Message)
class MessageAdmin(LookupAdmin):
    """Messages to buyers and sellers. Collection codes are hidden: only the buyer may see them."""

    list_display = ("kind", "channel", "contact", "state", "reason", "created_at", "sent_at")
    list_filter = ("state", "kind", "channel")
    ordering = ("-pk",)
    search_help_text = "E-mail address, phone, order token or reference."
    actions = ["send_again"]
    fields = (
        "kind",
        "channel",
        "user",
        "contact",
        "language",
        "subject",
        "words",
        "state",
        "reason",
        "tries",
        "next_try_at",
        "provider_id",
        "created_at",
        "tried_at",
        "sent_at",
    )
    readonly_fields = ("words",)

    def find(self, term: str) -> dict[str, Any]:
        if "@" in term:
            return {"contact": normalise_email(term)}
        with suppress(ValueError):
            return {"contact": normalise_phone(term)}
        found = find_orders(term)
        return {f"notice__order__{name}": value for name, value in found.items()}

    @admin.display(description="text")
    def words(self, message: Message) -> str:
        """The text without collection codes, which prove a delivery."""
        return _CODE.sub("••••••", message.text)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may have messages sent again."""
        return bool(request.user.has_perm("orders.resend_message"))

    @admin.action(
        description="Send again (only what failed, or is not known to have left)",
        permissions=["resend"],
    )
    @decides_about_rows
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        again = [message for message in queryset if send_again(message.pk)]
        for message in again:
            self.log_change(request, message, "Sent again.")
        self.message_user(request, f"{len(again)} are sent again.")
