"""Orders with their payments, and gateway messages, read-only except for staff actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.backoffice.actions import staff_action
from accounts.backoffice.change_list import HasValueFilter
from accounts.backoffice.csv_download import DownloadAdmin
from accounts.backoffice.read_only_admin import LookupAdmin, ReadOnlyAdmin
from accounts.models import User
from orders.admin import OrderAdmin, OrderTrackAdmin
from orders.models import Order, OrderTrack
from payments.checkout.stk_push import retry_payment
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Receipt,
    Refund,
    StatementPull,
)
from payments.reconciliation.status_query import query_now
from payments.webhooks.inbox import reprocess_event

from .console_rows import ConsoleRowPage, Summarised
from .fees import give_fee_back, may_return_fee
from .money_lookup import (
    find_orders,
    find_orders_and_received,
    find_prompts,
    find_receipt,
    find_receipts,
    find_transfers,
)
from .order_page import read_around, time_left


@admin.register(Order)
class OrderWithPaymentsAdmin(OrderAdmin):
    """Orders, each on one page (order_page), also found by receipts and recipients."""

    actions = ["cancel", "ring", "download"]
    page_actions = {"ring": time_left, "cancel": lambda order: order.is_unpaid}
    page_labels = {
        "ring": "Send the buyer another prompt",
        "cancel": "Cancel and release the goods",
    }

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        order = super().get_object(request, object_id, from_field)
        if order is not None:
            read_around(order)
        return order

    def find(self, term: str) -> dict[str, Any]:
        receipt = find_receipt(term)
        if receipt and receipt.order_id:
            return {"pk": receipt.order_id}
        return find_orders_and_received(term)

    @staff_action(
        "Send the buyer another prompt (unpaid orders only)",
        permissions=["decide"],
        calls_gateway=True,
    )
    def ring(order: Order, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        retry_payment(order)


@admin.register(OrderTrack)
class OrderTrackWithPaymentsAdmin(OrderTrackAdmin):
    """Order lines, also found by the paying phone and the recipient."""

    actions = [*OrderTrackAdmin.actions, give_fee_back]
    page_name = "Order line"
    page_actions = {"give_fee_back": may_return_fee}

    def find(self, term: str) -> dict[str, Any]:
        return {f"order__{name}": value for name, value in find_orders_and_received(term).items()}


@admin.register(OrderPayment)
class OrderPaymentAdmin(Summarised, DownloadAdmin):
    """Every attempt to collect a payment."""

    page_name = "Prompt"

    list_display = ("order", "status", "amount", "phone", "channel", "result_text", "created_at")
    list_filter = ("status", "channel")
    list_select_related = ("order",)
    ordering = ("-pk",)
    search_help_text = "A receipt number, a checkout request ID, or anything that finds the order."
    actions = ["ask", "download"]

    def rows_around(self, payment: OrderPayment) -> list[tuple[str, Model | None]]:
        return [("Order", payment.order)]

    def find(self, term: str) -> dict[str, Any]:
        receipt = find_receipt(term)
        if receipt and receipt.payment_id:
            return {"pk": receipt.payment_id}
        if find_prompts(term).exists():
            return {"checkout_request_id": term}
        return {f"order__{name}": value for name, value in find_orders(term).items()}

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.decide_money")

    @staff_action("Query M-Pesa for the result", permissions=["decide"], calls_gateway=True)
    def ask(payment: OrderPayment, given: Mapping[str, Any], by: User) -> str:  # noqa: N805
        query_now(payment.pk)
        payment.refresh_from_db()
        return payment.result_text or "no result yet"


@admin.register(Receipt)
class ReceiptAdmin(Summarised, DownloadAdmin):
    """Every incoming payment. Those without an order are in suspense until staff match them."""

    none_yet = "Payments are here as soon as M-Pesa reports them."

    list_display = (
        "name",
        "verification",
        "amount",
        "order",
        "provider",
        "paid_at",
        "note",
    )
    list_filter = (
        ("order", HasValueFilter),
        ("number", HasValueFilter),
        "waiting",
        "unacknowledged",
        "verification",
        "source",
    )
    labels: ClassVar[dict[str, str]] = {"provider": "Through"}
    list_select_related = ("order",)
    ordering = ("-pk",)
    search_help_text = "A receipt number, the paying phone, or anything that finds the order."
    actions = ["download"]

    def rows_around(self, receipt: Receipt) -> list[tuple[str, Model | None]]:
        return [("Order", receipt.order)]

    @admin.display(description="Receipt")
    def name(self, receipt: Receipt) -> str:
        return receipt.number or "number not known yet"

    def find(self, term: str) -> dict[str, Any]:
        return find_receipts(term)


@admin.register(Refund)
class RefundAdmin(Summarised, DownloadAdmin):
    """Every attempt to refund money."""

    none_yet = "A refund is made when goods that were paid for are cancelled."

    list_display = (
        "order",
        "status",
        "amount",
        "phone",
        "cause",
        "number",
        "created_at",
    )
    list_filter = (
        "status",
        "way",
        "cause",
        "unacknowledged",
        "needs_approval",
        ("approved_by", HasValueFilter),
    )
    labels: ClassVar[dict[str, str]] = {"cause": "Reason", "number": "M-Pesa receipt"}
    list_select_related = ("order",)
    ordering = ("-pk",)
    search_help_text = (
        "A receipt number of the payment or the refund, our ID, or anything that finds the order."
    )
    actions = ["download"]

    def rows_around(self, refund: Refund) -> list[tuple[str, Model | None]]:
        return [("Order", refund.order), ("Receipt", refund.receipt)]

    def find(self, term: str) -> dict[str, Any]:
        transfers = find_transfers(Refund, term)
        if transfers:
            return transfers
        receipt = find_receipt(term)
        if receipt:
            return {"receipt": receipt.pk}
        return {f"order__{name}": value for name, value in find_orders(term).items()}


@admin.register(StatementPull)
class StatementPullAdmin(ReadOnlyAdmin):
    """How far M-Pesa's statement has been read."""

    list_display = ("shortcode", "read_from", "read_until", "next_pull_at", "result_text")
    list_filter = ("shortcode",)
    ordering = ("shortcode",)


@admin.register(GatewayEvent)
class GatewayEventAdmin(ConsoleRowPage, LookupAdmin):
    """Requests to the webhooks, byte for byte, and their processing results."""

    list_display = ("received_at", "state", "source", "payment", "note", "tries", "remote_address")
    list_filter = ("state", "source")
    list_select_related = ("payment",)
    ordering = ("-pk",)
    exclude = ("body",)
    readonly_fields = ("text",)
    search_help_text = "A receipt number, a checkout request ID, or anything that finds the order."
    actions = ["reapply"]

    @admin.display(description="Body")
    def text(self, event: GatewayEvent) -> str:
        return format_html("<pre>{}</pre>", bytes(event.body).decode("utf-8", "backslashreplace"))

    def find(self, term: str) -> dict[str, Any]:
        receipt = find_receipt(term)
        if receipt and receipt.payment_id:
            return {"payment": receipt.payment_id}
        if find_prompts(term).exists():
            return {"payment__checkout_request_id": term}
        return {f"payment__order__{name}": value for name, value in find_orders(term).items()}

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.decide_money")

    @staff_action(
        "Reprocess (already processed messages are not changed)",
        permissions=["decide"],
        calls_gateway=True,
    )
    def reapply(event: GatewayEvent, given: Mapping[str, Any], by: User) -> str:  # noqa: N805
        processed = reprocess_event(event.pk)
        return f"{processed.state}. {processed.note}"
