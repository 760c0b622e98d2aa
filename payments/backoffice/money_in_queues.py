"""Queues about incoming money: receipts, payment attempts, and messages about them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from accounts.backoffice.formats import dial
from omachemainproj.money import format_kes
from payments.models import GatewayEvent, OrderPayment, Receipt

from .queue import Column, Queue

#: The callback or the statement names a receipt's number within this time.
_NUMBERED_WITHIN = timedelta(hours=1)


def _receipt_name(receipt: Receipt) -> str:
    return receipt.number or "number not known yet"


_RECEIPT: dict[str, Column] = {
    "Receipt": _receipt_name,
    "Amount": lambda receipt: format_kes(receipt.amount),
}

UNMATCHED_RECEIPTS = Queue(
    key="unmatched",
    title="Payments without an order",
    about="The shop could not tell which order these payments are for. Match each to its order, or "
    "refund it.",
    rows=lambda now: Receipt.objects.to_match().order_by("pk"),
    columns={
        **_RECEIPT,
        "Through": lambda receipt: receipt.get_provider_display(),
        "Paid": lambda receipt: receipt.paid_at or receipt.created_at,
        "Payer": lambda receipt: " ".join(filter(None, [receipt.payer, dial(receipt.phone)])),
        "Reference typed": "reference",
        "Note": "note",
    },
    listed="payments_receipt_changelist?order__isempty=1",
)

DOUBTED_RECEIPTS = Queue(
    key="doubt",
    title="Payments in doubt",
    about="M-Pesa does not know this payment, or reports another amount or receiver. Its money "
    "cannot be paid out and its goods cannot be handed over. Check the M-Pesa portal, then query "
    "M-Pesa again or write the payment off.",
    rows=lambda now: Receipt.objects.in_doubt().select_related("order").order_by("pk"),
    columns={
        **_RECEIPT,
        "Order": lambda receipt: receipt.order or "no order",
        "First source": lambda receipt: receipt.get_source_display(),
        "Reason": "doubt",
        "Since": "doubted_at",
    },
    listed="payments_receipt_changelist?verification__exact=doubted",
)

UNCONFIRMED_RECEIPTS = Queue(
    key="unconfirmed",
    title="Payments not confirmed by M-Pesa",
    about="M-Pesa was queried for a day without confirming this payment, and transfers are waiting "
    "for it. Query M-Pesa again. Its statement also confirms the payment.",
    rows=lambda now: Receipt.objects.unanswered().select_related("order").order_by("pk"),
    columns={
        **_RECEIPT,
        "Order": lambda receipt: receipt.order or "no order",
        "First source": lambda receipt: receipt.get_source_display(),
    },
    listed="payments_receipt_changelist?verification__exact=told",
)

BANK_RECEIPTS = Queue(
    key="banks",
    title="Bank payments to verify",
    about="A bank sends a single notification and offers no way to query it. Check the bank's own "
    "statement. Until then this money cannot be refunded and its sellers are not paid.",
    rows=lambda now: (
        Receipt.objects.bank_payments_to_verify().select_related("order").order_by("pk")
    ),
    columns={
        **_RECEIPT,
        "Through": lambda receipt: receipt.get_provider_display(),
        "Order": lambda receipt: receipt.order or "no order",
        "Paid": lambda receipt: receipt.paid_at or receipt.created_at,
    },
    listed="payments_receipt_changelist?verification__exact=told",
)

UNRESOLVED_ATTEMPTS = Queue(
    key="attempts",
    title="Prompts without a result from M-Pesa",
    about="The buyer may or may not have paid. Query M-Pesa again, or check its portal and record "
    "what it shows. A late success still counts.",
    rows=lambda now: OrderPayment.objects.unresolved().select_related("order").order_by("pk"),
    columns={
        "Order": "order",
        "Amount": lambda payment: format_kes(payment.amount),
        "Phone": "phone",
        "Prompted": lambda payment: payment.rung_at or payment.created_at,
        "M-Pesa request ID": lambda payment: payment.checkout_request_id or "none",
    },
    listed="payments_orderpayment_changelist?status__in=unknown,submitted&next_check_at__isnull=1",
)

RECEIPTS_WITHOUT_NUMBER = Queue(
    key="unnamed",
    title="Receipts without a number",
    about="M-Pesa confirmed that the prompt was paid but has not sent the receipt number. Until it "
    "is known, nothing of the order can be refunded. The M-Pesa portal shows it.",
    rows=lambda now: (
        Receipt.objects.without_number()
        .filter(created_at__lt=now - _NUMBERED_WITHIN)
        .select_related("order")
        .order_by("created_at")
    ),
    columns={**_RECEIPT, "Order": "order", "Known since": "created_at"},
    listed="payments_receipt_changelist?number__isempty=1",
)

CORRECTED_RECEIPTS = Queue(
    key="corrected",
    title="Corrected receipts",
    about="M-Pesa now reports a different amount from the one recorded, or an order received goods "
    "that no buyer paid for. The shop covers the shortfall. Or a payment that was written off is "
    "reported now, or was paid since. Acknowledge each entry after reviewing it.",
    rows=lambda now: Receipt.objects.unacknowledged().select_related("order").order_by("pk"),
    columns={
        **_RECEIPT,
        "Written off": lambda receipt: format_kes(receipt.written_off),
        "Order": lambda receipt: receipt.order or "no order",
        "Note": "note",
    },
    listed="payments_receipt_changelist?unacknowledged__exact=1",
)

FAILED_MESSAGES = Queue(
    key="messages",
    title="Messages that could not be processed",
    about="M-Pesa or the bank sent a message the shop failed to process. Reprocess it once the "
    "cause is fixed, or set it aside.",
    rows=lambda now: (
        GatewayEvent.objects.broken(c2b_token=settings.DARAJA_C2B_TOKEN)
        .defer("body", "headers")
        .order_by("pk")
    ),
    columns={
        "Message": lambda event: f"Message {event.pk}",
        "Sent to": lambda event: event.get_source_display(),
        "Received": "received_at",
        "Result": lambda event: f"{event.get_state_display()}: {event.note}",
    },
    listed="payments_gatewayevent_changelist?state__exact=failed",
)

SHORT_PAYMENTS = Queue(
    key="short",
    title="Partly paid orders",
    about="Part of the price is missing, and the buyer was told how much. If the rest does not "
    "come before the order expires, the money is refunded automatically.",
    rows=lambda now: Receipt.objects.awaiting_the_rest().select_related("order").order_by("pk"),
    columns={
        **_RECEIPT,
        "Order": "order",
        "Price": lambda receipt: format_kes(receipt.order.amount),
        "Expires": "order.expires_at",
    },
    listed="payments_receipt_changelist?waiting__exact=1",
    for_information=True,
)
