"""Money and messages, to look at; what may be done is an action that calls a service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from omachemainproj.admin import LookupAdmin, ReadOnlyInline
from omachemainproj.errors import Refusal
from orders.admin import OrderAdmin
from orders.lookup import find_orders
from orders.models import Order

from .callbacks import apply_event
from .enquiry import ask_now
from .models import EventState, GatewayEvent, OrderPayment, Receipt
from .prompts import ring_again


def _find_by_receipt(typed: str) -> Receipt | None:
    number = typed.replace(" ", "").upper()
    return Receipt.objects.filter(number=number).first() if number else None


class PaymentInline(ReadOnlyInline):
    model = OrderPayment
    fields = ("created_at", "channel", "phone", "amount", "status", "result_code", "result_text")
    readonly_fields = fields


class ReceiptInline(ReadOnlyInline):
    model = Receipt
    fields = ("number", "amount", "door", "paid_at", "note")
    readonly_fields = fields


@admin.register(Order)
class OrderWithPaymentsAdmin(OrderAdmin):
    """An order with its lines, its attempts and what came in for it."""

    actions = ["cancel", "ring"]

    def get_inlines(self, request: HttpRequest, obj: Order | None = None) -> list[Any]:
        return [*super().get_inlines(request, obj), PaymentInline, ReceiptInline]

    def find(self, term: str) -> dict[str, Any]:
        receipt = _find_by_receipt(term)
        if receipt and receipt.order_id:
            return {"pk": receipt.order_id}
        return super().find(term)

    @admin.action(description="Ring the buyer's phone again (unpaid orders only)")
    def ring(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        rung = 0
        for order in queryset:
            try:
                ring_again(order)
                rung += 1
                self.log_change(request, order, "Rang the phone again.")
            except Refusal as refusal:
                self.message_user(request, f"{order.reference}: {refusal}", messages.WARNING)
        self.message_user(request, f"{rung} rung.")


@admin.register(OrderPayment)
class OrderPaymentAdmin(LookupAdmin):
    """Every attempt to collect. The callback address is a secret and is not shown."""

    list_display = ("order", "phone", "amount", "status", "result_code", "created_at", "checks")
    list_filter = ("status", "channel")
    list_select_related = ("order",)
    ordering = ("-pk",)
    exclude = ("callback_token",)
    search_help_text = "Receipt, checkout request id, or whatever finds the order."
    inlines = [ReceiptInline]
    actions = ["ask"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        return [name for name in fields if name != "callback_token"]

    def find(self, term: str) -> dict[str, Any]:
        receipt = _find_by_receipt(term)
        if receipt and receipt.payment_id:
            return {"pk": receipt.payment_id}
        if OrderPayment.objects.filter(checkout_request_id=term).exists():
            return {"checkout_request_id": term}
        return {f"order__{name}": value for name, value in find_orders(term).items()}

    @admin.action(description="Ask M-Pesa what became of it")
    def ask(self, request: HttpRequest, queryset: QuerySet[OrderPayment]) -> None:
        for payment in queryset:
            ask_now(payment.pk)
            payment.refresh_from_db()
            self.message_user(request, f"{payment}: {payment.result_text or 'no word yet'}")


@admin.register(Receipt)
class ReceiptAdmin(LookupAdmin):
    """Every movement of money in. Those without an order wait in suspense for a person."""

    list_display = ("__str__", "provider", "order", "door", "paid_at", "note", "created_at")
    list_filter = (("order", admin.EmptyFieldListFilter), "door")
    list_select_related = ("order",)
    ordering = ("-pk",)
    search_help_text = "Receipt number, or whatever finds the order."

    def find(self, term: str) -> dict[str, Any]:
        receipt = _find_by_receipt(term)
        if receipt:
            return {"pk": receipt.pk}
        return {f"order__{name}": value for name, value in find_orders(term).items()}


@admin.register(GatewayEvent)
class GatewayEventAdmin(LookupAdmin):
    """What was posted to the webhook, byte for byte, and what became of it."""

    list_display = ("id", "state", "received_at", "remote_address", "payment", "note", "tries")
    list_filter = ("state",)
    list_select_related = ("payment",)
    ordering = ("-pk",)
    exclude = ("token", "body")
    readonly_fields = ("text",)
    search_help_text = "Receipt number, checkout request id, or whatever finds the order."
    actions = ["reapply"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        return [name for name in fields if name not in self.exclude]

    @admin.display(description="Body")
    def text(self, event: GatewayEvent) -> str:
        return format_html("<pre>{}</pre>", bytes(event.body).decode("utf-8", "backslashreplace"))

    def find(self, term: str) -> dict[str, Any]:
        receipt = _find_by_receipt(term)
        if receipt and receipt.payment_id:
            return {"payment": receipt.payment_id}
        if OrderPayment.objects.filter(checkout_request_id=term).exists():
            return {"payment__checkout_request_id": term}
        return {f"payment__order__{name}": value for name, value in find_orders(term).items()}

    @admin.action(description="Act on it again (what was acted on stays as it is)")
    def reapply(self, request: HttpRequest, queryset: QuerySet[GatewayEvent]) -> None:
        for event in queryset.exclude(state=EventState.APPLIED):
            GatewayEvent.objects.filter(pk=event.pk).update(state=EventState.NEW, tries=0)
            apply_event(event.pk)
            event.refresh_from_db()
            self.message_user(request, f"Message {event.pk}: {event.state}. {event.note}")
