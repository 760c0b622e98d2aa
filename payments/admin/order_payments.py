"""Payments, refunds, earnings and gateway events on the page of an order."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html

from accounts.backoffice.formats import (
    Tone,
    badge,
    kes,
    moment,
    phone_link,
    status_badge,
)
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import (
    NEWEST,
    Content,
    Table,
    list_of,
    newest_of,
    section,
)
from accounts.models import User
from orders.models import (
    Order,
)
from payments.backoffice.kinds import console_page
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Receipt,
    Refund,
    SellerShare,
)

#: How many of the newest payments, receipts and refunds to look up events of.
_MAX_IDS = 200


@section(Order, "refunds", "Refunds", permission="payments.view_refund", place=40)
def show_refunds(order: Order, viewer: User) -> Content | None:
    refunds, has_more = newest_of(order.refunds.select_related("receipt"))
    if not refunds:
        return None
    rows = [
        (
            console_link(refund, kes(refund.amount)),
            status_badge(refund, "status"),
            refund.get_cause_display(),
            format_html("{} {}", refund.get_way_display(), phone_link(refund.phone))
            if refund.phone
            else refund.get_way_display(),
            refund.number,
            moment(refund.created_at),
        )
        for refund in refunds
    ]
    more = list_of(Refund, "All refunds of this order", order=order.pk) if has_more else None
    return Table(
        ("Amount", "Status", "Reason", "Method", "M-Pesa receipt", "Owed since"), rows, "", more
    )


@section(Order, "receipts", "Receipts", permission="payments.view_receipt", place=50)
def show_receipts(order: Order, viewer: User) -> Content:
    receipts, has_more = newest_of(Receipt.objects.filter(order=order.pk))
    rows = [
        (
            console_link(receipt, receipt.number or "number not known yet"),
            kes(receipt.amount),
            status_badge(receipt, "verification"),
            format_html("{} {}", receipt.payer, phone_link(receipt.phone)),
            receipt.get_provider_display(),
            moment(receipt.paid_at or receipt.created_at),
        )
        for receipt in receipts
    ]
    more = list_of(Receipt, "All receipts of this order", order=order.pk) if has_more else None
    headings = ("Receipt", "Amount", "Status", "From", "Through", "Paid")
    return Table(headings, rows, "No receipts.", more)


@section(Order, "prompts", "Prompts", permission="payments.view_orderpayment", place=60)
def show_prompts(order: Order, viewer: User) -> Content:
    payments, has_more = newest_of(OrderPayment.objects.filter(order=order.pk))
    rows = [
        (
            console_link(payment, kes(payment.amount)),
            status_badge(payment, "status"),
            phone_link(payment.phone) if payment.phone else payment.get_channel_display(),
            payment.result_text,
            moment(payment.created_at),
        )
        for payment in payments
    ]
    more = list_of(OrderPayment, "All prompts of this order", order=order.pk) if has_more else None
    return Table(("Amount", "Status", "Phone", "Result", "When"), rows, "None.", more)


@section(Order, "shares", "Seller earnings", permission="payments.view_sellershare", place=65)
def show_shares(order: Order, viewer: User) -> Content | None:
    mine = SellerShare.objects.filter(track__order=order.pk)
    shares, has_more = newest_of(mine.select_related("track", "seller", "payout"))
    if not shares:
        return None
    rows = [
        (
            console_link(share, share.track),
            link_to(share.seller, viewer),
            kes(share.due),
            describe_share(share),
            console_link(share.payout, kes(share.payout.amount)) if share.payout else "",
        )
        for share in shares
    ]
    more = list_of(SellerShare, "All of this order", track__order=order.pk) if has_more else None
    return Table(("Goods", "Seller", "Earnings", "Status", "Payout"), rows, "", more)


def describe_share(share: SellerShare) -> str:
    """The status of a seller's earnings, as a badge."""
    if share.reversed_at is not None:
        return badge("no longer owed", Tone.QUIET)
    if share.payout is not None:
        return status_badge(share.payout, "status")
    return badge("withheld" if share.withheld_why else "owed", Tone.OPEN)


@section(Order, "gateway", "M-Pesa's messages", permission="payments.view_gatewayevent", place=70)
def show_gateway(order: Order, viewer: User) -> Content | None:
    # By id, so that the database uses the index of each column.
    payments = OrderPayment.objects.filter(order=order.pk).order_by("-pk")
    receipts = Receipt.objects.filter(order=order.pk).order_by("-pk")
    refunds = Refund.objects.filter(order=order.pk).order_by("-pk")
    events: list[GatewayEvent] = []
    about: list[tuple[str, QuerySet[Any]]] = [
        ("payment__in", payments),
        ("receipt__in", receipts),
        ("refund__in", refunds),
    ]
    for column, rows in about:
        ids = list(rows.values_list("pk", flat=True)[:_MAX_IDS])
        if ids:
            mine = GatewayEvent.objects.filter(**{column: ids}).defer("headers", "body")
            events += mine.order_by("-pk")[: NEWEST + 1]
    newest = sorted({event.pk: event for event in events}.values(), key=lambda each: -each.pk)
    if not newest:
        return None
    shown = [
        (
            console_link(event, event.get_source_display()),
            status_badge(event, "state"),
            event.note,
            moment(event.received_at),
        )
        for event in newest[:NEWEST]
    ]
    has_more = len(newest) > NEWEST
    more = list_of(GatewayEvent, "All of this order", q=order.reference) if has_more else None
    return Table(("Sent to", "Result", "Note", "When"), shown, "", more)


def console_link(row: Any, text: Any) -> str:
    """A link to a row's page on the console, with its history and its buttons."""
    return format_html('<a href="{}">{}</a>', console_page(row), text)
