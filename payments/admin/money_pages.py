"""Related rows on the pages of receipts, prompts, payouts and ledger postings."""

from __future__ import annotations

from accounts.backoffice.formats import badge, kes, moment, phone_link, status_badge
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import Content, Table, list_of, newest_of, section
from accounts.models import User
from payments.models import (
    LedgerEntry,
    LedgerPosting,
    OrderPayment,
    Payout,
    Receipt,
    ReceiptEvidence,
    Refund,
    SellerShare,
)

from .order_payments import console_link, describe_share


@section(
    Receipt,
    "evidence",
    "Evidence",
    permission="payments.view_receiptevidence",
    place=10,
    below=True,
)
def show_evidence(receipt: Receipt, viewer: User) -> Content:
    evidence, _ = newest_of(
        ReceiptEvidence.objects.filter(receipt=receipt.pk).select_related("told_by")
    )
    rows = [
        (
            moment(each.told_at),
            each.get_source_display(),
            kes(each.amount),
            each.number,
            each.shortcode,
            link_to(each.told_by, viewer),
        )
        for each in evidence
    ]
    headings = ("When", "Source", "Amount", "Number", "Short code", "Recorded by")
    return Table(headings, rows, "None yet.")


@section(Receipt, "refunds", "Refunds", permission="payments.view_refund", place=20, below=True)
def show_refunds(receipt: Receipt, viewer: User) -> Content:
    refunds, has_more = newest_of(Refund.objects.filter(receipt=receipt.pk))
    rows = [
        (
            console_link(refund, kes(refund.amount)),
            status_badge(refund, "status"),
            refund.get_way_display(),
            phone_link(refund.phone),
            refund.number,
            refund.result_text or refund.note,
            moment(refund.created_at),
        )
        for refund in refunds
    ]
    more = list_of(Refund, "All its refunds", receipt=receipt.pk) if has_more else None
    headings = ("Amount", "Status", "Method", "Phone", "M-Pesa receipt", "Result", "Owed since")
    return Table(headings, rows, "No refunds.", more)


@section(
    OrderPayment, "receipts", "Receipts", permission="payments.view_receipt", place=10, below=True
)
def show_receipts(payment: OrderPayment, viewer: User) -> Content:
    receipts, has_more = newest_of(Receipt.objects.filter(payment=payment.pk))
    rows = [
        (
            console_link(receipt, receipt.number or "number not known yet"),
            kes(receipt.amount),
            receipt.get_source_display(),
            receipt.note,
            moment(receipt.paid_at or receipt.created_at),
        )
        for receipt in receipts
    ]
    more = list_of(Receipt, "All its receipts", payment=payment.pk) if has_more else None
    return Table(("Receipt", "Amount", "First source", "Note", "Paid"), rows, "None.", more)


@section(Payout, "shares", "Earnings", permission="payments.view_sellershare", place=10, below=True)
def show_shares(payout: Payout, viewer: User) -> Content:
    of_payout = SellerShare.objects.filter(payout=payout.pk)
    shares, has_more = newest_of(of_payout.select_related("track", "payout"))
    rows = [
        (
            console_link(share, share.track),
            kes(share.sold_for),
            kes(share.commission),
            kes(share.amount),
            describe_share(share),
        )
        for share in shares
    ]
    more = list_of(SellerShare, "All its earnings", payout=payout.pk) if has_more else None
    return Table(("Goods", "Price", "Commission", "Earnings", "Status"), rows, "None.", more)


@section(
    LedgerPosting,
    "entries",
    "Entries",
    permission="payments.view_ledgerentry",
    place=10,
    below=True,
)
def show_entries(posting: LedgerPosting, viewer: User) -> Content:
    entries, has_more = newest_of(
        LedgerEntry.objects.filter(posting=posting.pk).select_related("order", "seller")
    )
    rows = [
        (
            entry.get_account_display(),
            badge(entry.get_side_display(), "quiet"),
            kes(entry.amount),
            link_to(entry.order, viewer),
            link_to(entry.seller, viewer),
        )
        for entry in reversed(entries)
    ]
    more = list_of(LedgerEntry, "All its entries", posting=posting.pk) if has_more else None
    return Table(("Account", "Side", "Amount", "Order", "Seller"), rows, "None.", more)
