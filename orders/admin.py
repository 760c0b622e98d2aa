"""The read-only admin of orders, lines, problems and messages; every change is an action."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.authentication import current_user
from accounts.backoffice.actions import decides_about_rows, page_before, staff_action
from accounts.backoffice.csv_download import DownloadAdmin
from accounts.backoffice.formats import moment
from accounts.backoffice.read_only_admin import LookupAdmin, ReadOnlyAdmin
from accounts.backoffice.row_page import Buttons, RowPage, columns_of
from accounts.models import User
from accounts.validators import normalise_email
from omachemainproj.phones import normalise_phone
from omachemainproj.text import fold_identifier

from . import admin_search, sections  # noqa: F401  # declare the search, and sections of pages
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
    TrackStatus,
)
from .models.notifications import Message, MessageState, ReportedStatus
from .notifications.sending import send_again
from .sections.descriptions import describe_order, may_be_sent_again

admin.site.register(PickupPoint, PickupPointAdmin)
admin.site.register(DeliveryRate, DeliveryRateAdmin)

_CODE = re.compile(r"\b[0-9]{6}\b")


class OrderAdmin(RowPage, DownloadAdmin):
    """An order with its lines. Registered in payments.admin, with its payments."""

    none_yet = "An order is here once a buyer has placed it in the shop."

    list_display = (
        "reference",
        "status_label",
        "amount",
        "buyer",
        "mpesa_number",
        "created_at",
        "goods_held_until",
    )
    list_filter = ("payment_status",)
    labels: ClassVar[dict[str, str]] = {"created_at": "Placed", "reference": "Order"}
    list_select_related = ("buyer",)
    ordering = ("-pk",)
    search_help_text = (
        "Order token, reference, M-Pesa receipt, buyer’s user name, phone, or the recipient’s name."
    )
    actions = ["cancel", "download"]

    @admin.display(description="Status")
    def status_label(self, order: Order) -> str:
        """The status as on the order's page, which also shows a payment in doubt."""
        return describe_order(order)

    @admin.display(description="Reserved until")
    def goods_held_until(self, order: Order) -> str:
        """The end of the hold; empty unless the order is unpaid."""
        return moment(order.expires_at if order.is_unpaid else None)

    def find(self, term: str) -> dict[str, Any]:
        return find_orders(term)

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> Any:
        return columns_of(self.get_fields(request, obj))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.decide_lines")

    @staff_action("Cancel and release the goods (unpaid orders only)", permissions=["decide"])
    def cancel(order: Order, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        cancel_order(order.pk, cancelled_by=CancelledBy.STAFF)


class TrackStatusFilter(admin.ChoicesFieldListFilter):
    """Lines by status. Unpaid lines are found through their unpaid orders, which have an index."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        lines = super().queryset(request, queryset)
        if lines is not None and TrackStatus.CREATED in (self.lookup_val or ()):
            return lines.filter(order__payment_status=PaymentStatus.REQUESTED)
        return lines


class OrderTrackAdmin(RowPage, DownloadAdmin):
    """Order lines with their history and actions. Registered in payments.admin."""

    list_display = ("name", "track_status", "number", "amount", "order", "seller", "updated_at")
    list_filter = (("track_status", TrackStatusFilter),)
    labels: ClassVar[dict[str, str]] = {"name": "Goods", "number": "Quantity"}
    list_select_related = ("order", "seller")
    ordering = ("-pk",)
    search_help_text = "Order token, reference, buyer’s user name, phone, or the recipient’s name."
    actions = [*ACTIONS.values(), "download"]
    #: Hidden from delivery agents: the seller's pay and number, and the buyer. The parcels page
    #: shows them whom to call, while they need it.
    hidden = ("payment_mpesa_number", "commission", "buyer")

    def find(self, term: str) -> dict[str, Any]:
        found = find_orders(term)
        return {f"order__{name}": value for name, value in found.items()}

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        hidden = () if request.user.has_perm("orders.view_order") else self.hidden
        return [*super().get_exclude(request, obj), *hidden]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Adapt the search help for users who may not see orders."""
        listed = super().get_changelist_instance(request)
        if not request.user.has_perm("orders.view_order"):
            listed.search_help_text = "Order token or reference."
        return listed

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by token or reference only, not by people, for staff who may not see orders."""
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

    def get_fieldsets(self, request: HttpRequest, obj: OrderTrack | None = None) -> Any:
        return columns_of(self.get_fields(request, obj))

    def rows_around(self, line: OrderTrack) -> list[tuple[str, Model | None]]:
        return [("Order", line.order), ("Product", line.product), ("Seller", line.seller)]

    def buttons(self, request: HttpRequest, line: OrderTrack) -> Buttons:
        moves = actions_for(line, current_user(request))
        return Buttons(line, [*moves, *super().buttons(request, line).actions])


@admin.register(Problem)
class ProblemAdmin(RowPage, ReadOnlyAdmin):
    """Problems with goods, decided on their own pages (payments.admin.problem_sections)."""

    none_yet = "Buyers report problems on the page of their order."

    page_name = "Problem:"

    list_display = ("kind", "state", "track", "seller", "outcome", "refunded", "opened_at")
    list_filter = ("state", "kind", "outcome")
    labels: ClassVar[dict[str, str]] = {"kind": "Problem", "refunded": "Refunded"}
    list_select_related = ("track", "seller")
    ordering = ("-pk",)

    def get_fieldsets(self, request: HttpRequest, obj: Problem | None = None) -> Any:
        return columns_of(self.get_fields(request, obj))

    def rows_around(self, problem: Problem) -> list[tuple[str, Model | None]]:
        return [
            ("Order", problem.track.order),
            ("Buyer", problem.track.buyer),
            ("Seller", problem.seller),
        ]


class MessageStateFilter(admin.ChoicesFieldListFilter):
    """Messages by state. Due ones are found by ``next_try_at``, which has an index."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        found = super().queryset(request, queryset)
        if found is not None and MessageState.DUE in (self.lookup_val or ()):
            return found.filter(next_try_at__isnull=False)
        return found


class DeliveryReportFilter(admin.SimpleListFilter):
    """Undelivered SMS: all, or those whose reader got no e-mail instead."""

    title, parameter_name = "arrived", "arrived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "No"), ("untold", "No, and no e-mail was sent instead")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        if self.value() == "no":
            return queryset.filter(pk__in=Message.objects.undelivered().values("pk"))
        if self.value() == "untold":
            return queryset.filter(pk__in=Message.objects.undelivered_without_email().values("pk"))
        return queryset


@admin.register(Message)
class MessageAdmin(RowPage, LookupAdmin):
    """Messages to buyers and sellers. Collection codes are hidden; only the buyer sees them."""

    list_display = (
        "kind",
        "state",
        "delivery",
        "contact",
        "channel",
        "reason",
        "created_at",
        "sent_at",
    )
    list_filter = (("state", MessageStateFilter), DeliveryReportFilter, "kind", "channel")
    labels: ClassVar[dict[str, str]] = {"kind": "Message", "reason": "Why not sent"}
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
        "delivery",
        "tries",
        "next_try_at",
        "provider_id",
        "created_at",
        "tried_at",
        "sent_at",
    )
    readonly_fields = ("words", "delivery")
    page_name = "Message:"
    page_actions = {"send_again": may_be_sent_again}
    page_labels = {"send_again": "Send again"}

    def rows_around(self, message: Message) -> list[tuple[str, Model | None]]:
        return [("Order", message.notice.order), ("Person", message.user)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return Message.objects.with_delivery()

    @admin.display(description="arrived")
    def delivery(self, message: Any) -> str:
        """The provider's report about an SMS; "–" without one, and for e-mails."""
        if not message.reported:
            return "–"
        why = f" ({message.reported_why})" if message.reported_why else ""
        return f"{ReportedStatus(message.reported).label}{why}"

    def find(self, term: str) -> dict[str, Any]:
        if "@" in term:
            return {"contact": normalise_email(term)}
        with suppress(ValueError):
            return {"contact": normalise_phone(term)}
        found = find_orders(term)
        return {f"notice__order__{name}": value for name, value in found.items()}

    @admin.display(description="text")
    def words(self, message: Message) -> str:
        """The text with collection codes masked, because they prove a delivery."""
        return _CODE.sub("••••••", message.text)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether this staff member may send messages again."""
        return bool(request.user.has_perm("orders.resend_message"))

    @admin.action(
        description="Send again (only failed, undelivered, or possibly unsent messages)",
        permissions=["resend"],
    )
    @decides_about_rows
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        again = [message for message in queryset if send_again(message.pk)]
        for message in again:
            self.log_change(request, message, "Sent again.")
        self.message_user(request, f"Messages sent again: {len(again)}.")
        back = page_before(request)
        return redirect(back) if back else None
