"""Payouts, earnings, withdrawals and stops, read-only. The console acts on them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.backoffice.change_list import COUNT_AT_MOST, HasValueFilter
from accounts.backoffice.csv_download import DownloadAdmin
from accounts.backoffice.read_only_admin import LookupAdmin, ReadOnlyAdmin
from accounts.backoffice.row_page import NEWEST
from accounts.models import User
from omachemainproj.phones import normalise_phone
from orders.models import Order, OrderTrack
from payments.models import (
    Payout,
    PayoutDay,
    PayoutStop,
    PortalStatement,
    RefundDay,
    SellerShare,
    Withdrawal,
)

from .console_rows import ConsoleRowPage, Summarised
from .money_lookup import find_orders, find_transfers, spellings_of_number
from .order_payments import describe_share


@admin.register(Payout)
class PayoutAdmin(Summarised, DownloadAdmin):
    """Every attempt to pay a seller."""

    none_yet = "A payout is made once goods have been fetched from their seller."

    list_display = (
        "seller",
        "status",
        "gross",
        "phone",
        "number",
        "result_text",
        "created_at",
    )
    list_filter = ("status", "needs_approval", "unacknowledged")
    labels: ClassVar[dict[str, str]] = {"gross": "Amount", "amount": "Sent, after debts"}
    list_select_related = ("seller",)
    ordering = ("-pk",)
    search_help_text = (
        "A seller's user name, a phone, the payout's M-Pesa receipt number, or our ID."
    )
    actions = ["download"]

    def rows_around(self, payout: Payout) -> list[tuple[str, Model | None]]:
        """The seller, and the first few of its orders."""
        mine = Order.objects.filter(tracks__seller_share__payout=payout.pk)
        orders = mine.distinct().order_by("pk")[:NEWEST]
        return [("Seller", payout.seller), *(("Order", order) for order in orders)]

    def find(self, term: str) -> dict[str, Any]:
        return find_transfers(Payout, term) or _find_seller(term)


@admin.register(SellerShare)
class SellerShareAdmin(ConsoleRowPage, LookupAdmin):
    """Sellers' earnings, line by line, and the payout of each."""

    page_name = "Earnings:"

    list_display = (
        "track",
        "status_label",
        "amount",
        "seller",
        "sold_for",
        "commission",
        "created_at",
    )
    list_filter = (
        ("payout", HasValueFilter),
        ("reversed_at", HasValueFilter),
        "payout__status",
    )
    labels: ClassVar[dict[str, str]] = {
        "amount": "Earnings",
        "reversed_at": "Reversed",
        "payout__status": "Payout status",
    }
    list_select_related = ("track", "seller", "payout")
    ordering = ("-pk",)
    search_help_text = (
        "A seller's user name, a phone, the payout's M-Pesa receipt number, "
        "or an order's reference."
    )

    @admin.display(description="Status")
    def status_label(self, share: SellerShare) -> str:
        """The same badge as on the order's page."""
        return describe_share(share)

    def rows_around(self, share: SellerShare) -> list[tuple[str, Model | None]]:
        return [
            ("Order", share.track.order),
            ("Payout", share.payout),
            ("Seller", share.seller),
        ]

    def find(self, term: str) -> dict[str, Any]:
        payouts = Payout.objects.filter(number__in=spellings_of_number(term)).exclude(number="")
        payout = payouts.values_list("pk", flat=True).first()
        if payout:
            return {"payout": payout}
        found = _find_seller(term)
        if found:
            return found
        orders = find_orders(term)
        if not orders:
            return {}
        # Two queries instead of a join, which would scan all earnings for those of one order.
        lines = OrderTrack.objects.filter(**{f"order__{name}": it for name, it in orders.items()})
        newest = lines.order_by("-pk").values_list("pk", flat=True)
        return {"track__in": set(newest[:COUNT_AT_MOST])}


@admin.register(PayoutDay)
class PayoutDayAdmin(ReadOnlyAdmin):
    """The total sent to sellers per day."""

    list_display = ("day", "sent")
    labels: ClassVar[dict[str, str]] = {"sent": "Paid out"}
    ordering = ("-day",)


@admin.register(RefundDay)
class RefundDayAdmin(ReadOnlyAdmin):
    """The total refunded to buyers per day."""

    list_display = ("day", "sent")
    labels: ClassVar[dict[str, str]] = {"sent": "Refunded"}
    ordering = ("-day",)


@admin.register(PayoutStop)
class PayoutStopAdmin(ConsoleRowPage, ReadOnlyAdmin):
    """When and why outgoing payments were stopped. The console lifts a stop."""

    list_display = ("reason", "cause", "is_open", "lost_since", "created_at", "ended_at")
    labels: ClassVar[dict[str, str]] = {"created_at": "Since", "reason": "Reason"}
    list_filter = ("is_open",)
    ordering = ("-pk",)


@admin.register(Withdrawal)
class WithdrawalAdmin(ConsoleRowPage, LookupAdmin):
    """Money that M-Pesa's statement shows leaving without a refund or payout here."""

    list_display = (
        "number",
        "state",
        "amount",
        "phone",
        "reason",
        "reverses",
        "left_at",
        "payout",
        "refund",
    )
    list_filter = ("state",)
    list_select_related = ("payout", "refund")
    ordering = ("-pk",)
    search_help_text = "The M-Pesa receipt number, or a phone."

    def find(self, term: str) -> dict[str, Any]:
        try:
            return {"phone": normalise_phone(term)}
        except ValueError:
            return {"number__in": spellings_of_number(term)}


@admin.register(PortalStatement)
class PortalStatementAdmin(ReadOnlyAdmin):
    """The portal statements that have been read."""

    list_display = ("shortcode", "read_from", "read_until", "rows", "created_at")
    labels: ClassVar[dict[str, str]] = {"shortcode": "Short code", "created_at": "Read"}
    ordering = ("-pk",)


def _find_seller(term: str) -> dict[str, Any]:
    """A filter by the phone that is paid, or by the seller's user name."""
    try:
        return {"phone": normalise_phone(term)}
    except ValueError:
        seller = User.objects.filter(username__iexact=term).values_list("pk", flat=True).first()
        return {"seller": seller} if seller else {}
