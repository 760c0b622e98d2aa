"""What a payout, a refund, a receipt or a prompt is, at the head of its page in the admin.

The columns themselves are folded below (``ConsoleRowPage``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html

from accounts.backoffice.formats import Tone, badge, kes, moment, phone_link, status_badge
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import Content, Facts, section
from accounts.models import User
from payments.models import OrderPayment, Payout, Receipt, Refund, TransferStatus


@section(Payout, "summary", "Summary", permission="payments.view_payout", place=0)
def show_payout(payout: Payout, viewer: User) -> Content:
    debts = payout.gross - payout.amount
    return _given(
        [
            ("Amount", kes(payout.amount)),
            ("Earned, before debts", kes(payout.gross) if debts else ""),
            ("Seller", link_to(payout.seller, viewer)),
            ("To", phone_link(payout.phone)),
            ("On hold since", payout.on_hold_since and moment(payout.on_hold_since)),
            ("On hold because", payout.on_hold_reason),
            *_transfer_facts(payout, viewer),
        ],
        lead=_transfer_status(payout),
    )


@section(Refund, "summary", "Summary", permission="payments.view_refund", place=0)
def show_refund(refund: Refund, viewer: User) -> Content:
    return _given(
        [
            ("Amount", kes(refund.amount)),
            ("Reason", refund.get_cause_display()),
            ("Method", refund.get_way_display()),
            ("To", refund.phone and phone_link(refund.phone)),
            *_transfer_facts(refund, viewer),
        ],
        lead=_transfer_status(refund),
    )


@section(Receipt, "summary", "Summary", permission="payments.view_receipt", place=0)
def show_receipt(receipt: Receipt, viewer: User) -> Content:
    return _given(
        [
            ("Amount", kes(receipt.amount)),
            ("From", format_html("{} {}", receipt.payer, phone_link(receipt.phone))),
            ("Through", receipt.get_provider_display()),
            ("Order", link_to(receipt.order, viewer) or "none yet"),
            ("Typed as reference", receipt.reference),
            ("Paid", moment(receipt.paid_at or receipt.created_at)),
            ("Written off", kes(receipt.written_off) if receipt.written_off else ""),
            ("Reason for doubt", receipt.doubt),
            ("Note", receipt.note),
        ],
        lead=status_badge(receipt, "verification"),
    )


@section(OrderPayment, "summary", "Summary", permission="payments.view_orderpayment", place=0)
def show_prompt(payment: OrderPayment, viewer: User) -> Content:
    return _given(
        [
            ("Amount", kes(payment.amount)),
            ("Phone", phone_link(payment.phone)),
            ("Order", link_to(payment.order, viewer)),
            ("M-Pesa’s answer", payment.result_text),
            ("Prompted", payment.rung_at and moment(payment.rung_at)),
            ("Confirmed", payment.confirmed_at and moment(payment.confirmed_at)),
        ],
        lead=status_badge(payment, "status"),
    )


def _given(facts: Sequence[tuple[str, Any]], *, lead: Any) -> Facts:
    """The facts there are; empty ones are left to the folded columns."""
    return Facts([(name, value) for name, value in facts if value not in ("", None)], lead=lead)


def _transfer_facts(transfer: Payout | Refund, viewer: User) -> list[tuple[str, Any]]:
    refused = transfer.status == TransferStatus.REFUSED
    return [
        ("Owed since", moment(transfer.created_at)),
        ("Sent", transfer.sent_at and moment(transfer.sent_at)),
        ("Done", transfer.done_at and moment(transfer.done_at)),
        ("M-Pesa receipt", transfer.number),
        ("M-Pesa’s answer", transfer.result_text if refused else ""),
        ("Note", transfer.note),
        ("Approved by", link_to(transfer.approved_by, viewer)),
    ]


def _transfer_status(transfer: Payout | Refund) -> str:
    """The status, and whether a second person has to approve it first."""
    shown = status_badge(transfer, "status")
    if not transfer.awaits_approval:
        return shown
    return format_html("{} {}", shown, badge("a second person must approve it", Tone.OPEN))
