"""Queues about money that came: receipts, attempts and the messages about them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from accounts.backoffice.formats import dial
from omachemainproj.money import format_kes
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Receipt,
    ReceiptQuestion,
)

from .queue import Queue

#: A receipt's number comes with the callback or with the statement; after this a person looks.
NAMED_WITHIN = timedelta(hours=1)


def _receipt_name(receipt: Receipt) -> str:
    return receipt.number or "number to come"


_RECEIPT = {"Receipt": _receipt_name, "Amount": lambda receipt: format_kes(receipt.amount)}

UNMATCHED_RECEIPTS = Queue(
    key="unmatched",
    title="Money without an order",
    about="It came, and nothing says what for. Give it to the order that was meant, or send "
    "it back.",
    rows=lambda now: Receipt.objects.to_match().order_by("pk"),
    columns={
        **_RECEIPT,
        "Through": lambda receipt: receipt.get_provider_display(),
        "Paid": lambda receipt: receipt.paid_at or receipt.created_at,
        "By": lambda receipt: " ".join(filter(None, [receipt.payer, dial(receipt.phone)])),
        "Typed": lambda receipt: receipt.reference,
        "Why": lambda receipt: receipt.note,
    },
    listed="payments_receipt_changelist?order__isempty=1",
)

DOUBTED_RECEIPTS = Queue(
    key="doubt",
    title="Payments in doubt",
    about="M-Pesa does not know this payment, or knows another amount or receiver. Nothing of "
    "it leaves, and what was bought with it stays where it is. Look on the portal: let M-Pesa "
    "be asked again, or write it off.",
    rows=lambda now: Receipt.objects.in_doubt().select_related("order").order_by("pk"),
    columns={
        **_RECEIPT,
        "Order": lambda receipt: receipt.order or "no order",
        "First heard of by": lambda receipt: receipt.get_source_display(),
        "Why": lambda receipt: receipt.doubt,
        "Since": lambda receipt: receipt.doubted_at,
    },
    listed="payments_receipt_changelist?verification__exact=doubted",
)

UNCONFIRMED_RECEIPTS = Queue(
    key="unconfirmed",
    title="Payments M-Pesa does not confirm",
    about="It was asked for a day and did not say whether it took this payment; money waits "
    "for it. Let it be asked again. Its statement confirms it too.",
    rows=lambda now: (
        Receipt.objects.filter(question__in=ReceiptQuestion.objects.unanswered())
        .select_related("order")
        .order_by("pk")
    ),
    columns={
        **_RECEIPT,
        "Order": lambda receipt: receipt.order or "no order",
        "First heard of by": lambda receipt: receipt.get_source_display(),
    },
    listed="payments_receipt_changelist?verification__exact=told",
)

BANK_RECEIPTS = Queue(
    key="banks",
    title="Bank payments to look up",
    about="A bank's notice is one message, and no bank is asked. Look on the bank's own "
    "statement. Until somebody has, nothing of it goes back and its sellers are not paid.",
    rows=lambda now: Receipt.objects.to_look_up().select_related("order").order_by("pk"),
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
    title="Prompts M-Pesa never spoke of",
    about="The phone may have paid or not. Ask M-Pesa again, or look on its portal and say "
    "which. A success that comes late still counts.",
    rows=lambda now: OrderPayment.objects.unresolved().select_related("order").order_by("pk"),
    columns={
        "Order": lambda payment: payment.order,
        "Asked for": lambda payment: format_kes(payment.amount),
        "Phone": lambda payment: payment.phone,
        "Rang": lambda payment: payment.rung_at or payment.created_at,
        "M-Pesa's id": lambda payment: payment.checkout_request_id or "none was given",
    },
    listed="payments_orderpayment_changelist?status__in=unknown,submitted&next_check_at__isnull=1",
)

RECEIPTS_WITHOUT_NUMBER = Queue(
    key="unnamed",
    title="Receipts whose number has not come",
    about="M-Pesa said that the prompt was paid and did not name the receipt. Until it has a "
    "number, nothing of its order goes back. The portal shows it.",
    rows=lambda now: (
        Receipt.objects.without_number()
        .filter(created_at__lt=now - NAMED_WITHIN)
        .select_related("order")
        .order_by("created_at")
    ),
    columns={
        **_RECEIPT,
        "Order": lambda receipt: receipt.order,
        "Known since": lambda receipt: receipt.created_at,
    },
    listed="payments_receipt_changelist?number__isempty=1",
)

CORRECTED_RECEIPTS = Queue(
    key="corrected",
    title="Receipts whose amount was corrected",
    about="The shop had counted another amount than M-Pesa tells of now, or an order was given "
    "what no buyer paid. What is missing the shop bears. Acknowledge what you have seen.",
    rows=lambda now: Receipt.objects.unacknowledged().select_related("order").order_by("pk"),
    columns={
        **_RECEIPT,
        "Borne by the shop": lambda receipt: format_kes(receipt.written_off),
        "Order": lambda receipt: receipt.order or "no order",
        "Note": lambda receipt: receipt.note,
    },
    listed="payments_receipt_changelist?unacknowledged__exact=1",
)

FAILED_MESSAGES = Queue(
    key="messages",
    title="Messages that broke",
    about="M-Pesa or the bank told of something, and the shop could not act on it. Act on it "
    "again once the cause is mended, or set it aside.",
    rows=lambda now: (
        GatewayEvent.objects.broken(c2b_token=settings.DARAJA_C2B_TOKEN)
        .defer("body", "headers")
        .order_by("pk")
    ),
    columns={
        "Message": lambda event: f"Message {event.pk}",
        "To": lambda event: event.get_source_display(),
        "Came": lambda event: event.received_at,
        "What became of it": lambda event: f"{event.get_state_display()}: {event.note}",
    },
    listed="payments_gatewayevent_changelist?state__exact=failed",
)

SHORT_PAYMENTS = Queue(
    key="short",
    title="Short payments that wait for the rest",
    about="Not all of the price has come. The buyer has been told how much is missing. When "
    "the time is over the money goes back by itself.",
    rows=lambda now: Receipt.objects.awaiting_the_rest().select_related("order").order_by("pk"),
    columns={
        **_RECEIPT,
        "Order": lambda receipt: receipt.order,
        "Of": lambda receipt: format_kes(receipt.order.amount),
        "Time is over": lambda receipt: receipt.order.expires_at,
    },
    listed="payments_receipt_changelist?waiting__exact=1",
    for_information=True,
)
