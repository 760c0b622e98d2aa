"""Orders with their money, and messages, to look at; what may be done calls a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.backoffice.actions import staff_action
from accounts.backoffice.admin import LookupAdmin, ReadOnlyAdmin, ReadOnlyInline
from accounts.backoffice.csv_download import DownloadAdmin
from accounts.models import User
from orders.admin import OrderAdmin, OrderTrackAdmin
from orders.models import Order, OrderTrack
from payments.checkout.stk_push import retry_payment
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Receipt,
    ReceiptEvidence,
    Refund,
    StatementPull,
)
from payments.reconciliation.status_query import query_now
from payments.webhooks.inbox import reprocess_event

from .fees import give_fee_back
from .lookup import find_orders, find_receipt, find_transfers


class PaymentInline(ReadOnlyInline):
    model = OrderPayment
    fields = ("created_at", "channel", "phone", "amount", "status", "result_code", "result_text")
    readonly_fields = fields


class ReceiptInline(ReadOnlyInline):
    model = Receipt
    fields = ("number", "amount", "door", "paid_at", "note")
    readonly_fields = fields


class EvidenceInline(ReadOnlyInline):
    model = ReceiptEvidence
    fields = ("told_at", "source", "amount", "number", "shortcode", "told_by")
    readonly_fields = fields


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = ("amount", "way", "phone", "status", "number", "result_text", "note", "created_at")
    readonly_fields = fields


@admin.register(Order)
class OrderWithPaymentsAdmin(OrderAdmin):
    """An order with its lines, its attempts and what came in for it."""

    actions = ["cancel", "ring", "download"]

    def get_inlines(self, request: HttpRequest, obj: Order | None = None) -> list[Any]:
        return [*super().get_inlines(request, obj), PaymentInline, ReceiptInline, RefundInline]

    def find(self, term: str) -> dict[str, Any]:
        receipt = find_receipt(term)
        if receipt and receipt.order_id:
            return {"pk": receipt.order_id}
        return find_orders(term)

    @staff_action(
        "Ring the buyer's phone again (unpaid orders only)",
        permissions=["decide"],
        calls_gateway=True,
    )
    def ring(order: Order, given: Mapping[str, Any], by: User) -> None:  # noqa: N805
        retry_payment(order)


@admin.register(OrderTrack)
class OrderTrackWithPaymentsAdmin(OrderTrackAdmin):
    """Order lines, found by the phone that paid as well."""

    actions = [*OrderTrackAdmin.actions, give_fee_back]

    def find(self, term: str) -> dict[str, Any]:
        return {f"order__{name}": value for name, value in find_orders(term).items()}


@admin.register(OrderPayment)
class OrderPaymentAdmin(DownloadAdmin):
    """Every attempt to collect."""

    list_display = ("order", "phone", "amount", "status", "result_code", "created_at", "checks")
    list_filter = ("status", "channel")
    list_select_related = ("order",)
    ordering = ("-pk",)
    search_help_text = "Receipt, checkout request id, or whatever finds the order."
    inlines = [ReceiptInline]
    actions = ["ask", "download"]

    def find(self, term: str) -> dict[str, Any]:
        receipt = find_receipt(term)
        if receipt and receipt.payment_id:
            return {"pk": receipt.payment_id}
        if OrderPayment.objects.filter(checkout_request_id=term).exists():
            return {"checkout_request_id": term}
        return {f"order__{name}": value for name, value in find_orders(term).items()}

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.decide_money")

    @staff_action("Ask M-Pesa what became of it", permissions=["decide"], calls_gateway=True)
    def ask(payment: OrderPayment, given: Mapping[str, Any], by: User) -> str:  # noqa: N805
        query_now(payment.pk)
        payment.refresh_from_db()
        return payment.result_text or "no word yet"


@admin.register(Receipt)
class ReceiptAdmin(DownloadAdmin):
    """Every movement of money in. Those without an order wait in suspense for a person."""

    list_display = (
        "__str__",
        "provider",
        "order",
        "door",
        "standing",
        "paid_at",
        "note",
        "created_at",
    )
    list_filter = (
        ("order", admin.EmptyFieldListFilter),
        ("number", admin.EmptyFieldListFilter),
        "waiting",
        "unseen",
        "standing",
        "door",
    )
    list_select_related = ("order",)
    ordering = ("-pk",)
    search_help_text = "Receipt number, or whatever finds the order."
    inlines = [EvidenceInline, RefundInline]
    actions = ["download"]

    def find(self, term: str) -> dict[str, Any]:
        receipt = find_receipt(term)
        if receipt:
            return {"pk": receipt.pk}
        return {f"order__{name}": value for name, value in find_orders(term).items()}


@admin.register(Refund)
class RefundAdmin(DownloadAdmin):
    """Every try to give money back."""

    list_display = (
        "__str__",
        "order",
        "receipt",
        "phone",
        "cause",
        "number",
        "result_text",
        "created_at",
        "next_check_at",
    )
    list_filter = (
        "status",
        "way",
        "cause",
        "unseen",
        "needs_approval",
        ("approved_by", admin.EmptyFieldListFilter),
    )
    list_select_related = ("order", "receipt")
    ordering = ("-pk",)
    search_help_text = "Receipt number (either one), our id, or whatever finds the order."
    actions = ["download"]

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
class GatewayEventAdmin(LookupAdmin):
    """What was posted to the webhook, byte for byte, and what became of it."""

    list_display = ("id", "state", "received_at", "remote_address", "payment", "note", "tries")
    list_filter = ("state", "source")
    list_select_related = ("payment",)
    ordering = ("-pk",)
    exclude = ("body",)
    readonly_fields = ("text",)
    search_help_text = "Receipt number, checkout request id, or whatever finds the order."
    actions = ["reapply"]

    @admin.display(description="Body")
    def text(self, event: GatewayEvent) -> str:
        return format_html("<pre>{}</pre>", bytes(event.body).decode("utf-8", "backslashreplace"))

    def find(self, term: str) -> dict[str, Any]:
        receipt = find_receipt(term)
        if receipt and receipt.payment_id:
            return {"payment": receipt.payment_id}
        if OrderPayment.objects.filter(checkout_request_id=term).exists():
            return {"payment__checkout_request_id": term}
        return {f"payment__order__{name}": value for name, value in find_orders(term).items()}

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.decide_money")

    @staff_action(
        "Act on it again (what was acted on stays as it is)",
        permissions=["decide"],
        calls_gateway=True,
    )
    def reapply(event: GatewayEvent, given: Mapping[str, Any], by: User) -> str:  # noqa: N805
        acted = reprocess_event(event.pk)
        return f"{acted.state}. {acted.note}"
