"""The sections of the admin's sidebar and start page: grouped by job, not by app.

The apps above this one are named, not imported. Permissions alone decide who sees what; a section
in which a user may see nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models.options import Options
from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is no model's list, for users with one of the permissions."""

    url_name: str
    name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelList:
    """The list of a model, under the name its users use."""

    model: str
    name: str


@dataclass(frozen=True, slots=True)
class SidebarSection:
    """The entries for one job, the most used first."""

    key: str
    name: str
    entries: tuple[Page | ModelList, ...]


SIDEBAR = (
    SidebarSection(
        "overview",
        "Overview",
        (
            Page("console", "Needs attention", ("payments.view_receipt", "orders.view_problem")),
            ModelList("accounts.Proposal", "Approvals"),
            Page(
                "dashboard",
                "How the shop is doing",
                (
                    "orders.view_order",
                    "orders.view_problem",
                    "accounts.view_user",
                    "payments.view_orderpayment",
                    "payments.view_refundday",
                    "payments.view_receipt",
                    "payments.view_payout",
                    "products.view_product",
                ),
            ),
        ),
    ),
    SidebarSection(
        "orders",
        "Orders",
        (
            ModelList("orders.Order", "Orders"),
            ModelList("orders.OrderTrack", "Order lines"),
            ModelList("orders.Problem", "Problems with goods"),
        ),
    ),
    SidebarSection(
        "deliveries",
        "Deliveries",
        (
            Page("parcels-console", "Parcels", ("orders.move_track", "orders.decide_lines")),
            ModelList("orders.PickupPoint", "Pick-up points"),
            ModelList("orders.DeliveryRate", "Delivery rates"),
        ),
    ),
    SidebarSection(
        "goods",
        "Goods",
        (
            ModelList("products.Product", "Products"),
            ModelList("products.Review", "Reviews"),
            ModelList("products.StockMovement", "Stock movements"),
        ),
    ),
    SidebarSection(
        "people",
        "People",
        (
            ModelList("accounts.User", "People"),
            ModelList("auth.Group", "Roles"),
            ModelList("accounts.Audit", "Audit log"),
        ),
    ),
    SidebarSection(
        "money",
        "Money",
        (
            ModelList("payments.Receipt", "Money in"),
            ModelList("payments.OrderPayment", "Payment attempts"),
            ModelList("payments.Refund", "Refunds"),
            ModelList("payments.Payout", "Payouts"),
            ModelList("payments.SellerShare", "Seller earnings"),
            ModelList("payments.PayoutStop", "Payout stops"),
            ModelList("payments.Withdrawal", "Unexplained withdrawals"),
            ModelList("payments.PayoutDay", "Paid out, by day"),
            ModelList("payments.RefundDay", "Refunded, by day"),
        ),
    ),
    SidebarSection("messages", "Messages", (ModelList("orders.Message", "Messages to people"),)),
    SidebarSection(
        "system",
        "System",
        (
            ModelList("payments.GatewayEvent", "Gateway messages"),
            ModelList("payments.StatementPull", "M-Pesa’s statement"),
            ModelList("payments.PortalStatement", "Portal statements"),
            ModelList("payments.LedgerPosting", "Postings"),
            ModelList("payments.LedgerEntry", "Ledger entries"),
            ModelList("accounts.PasswordTries", "Failed log-ins and locks"),
        ),
    ),
)

_LISTS = {
    each.model: (section, each)
    for section in SIDEBAR
    for each in section.entries
    if isinstance(each, ModelList)
}
#: The pages that are no model's list, by URL name.
PAGES = {
    each.url_name: each for section in SIDEBAR for each in section.entries if isinstance(each, Page)
}


def find_list(opts: Options[Any]) -> tuple[SidebarSection, ModelList]:
    """The section and name of a model's list; a list that no section names is in the last."""
    name = str(opts.verbose_name_plural)
    unknown = ModelList(opts.label, f"{name[:1].upper()}{name[1:]}")
    return _LISTS.get(opts.label, (SIDEBAR[-1], unknown))


def build_sidebar(request: HttpRequest, lists: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The sections and entries this user may see, in the format of AdminSite.get_app_list.

    ``lists`` are Django's descriptions of the lists they may see.
    """
    start = reverse("admin:index")
    by_section: dict[str, dict[str, dict[str, Any]]] = {}
    for each in lists:
        section, entry = find_list(each["model"]._meta)
        by_section.setdefault(section.key, {})[entry.model] = {**each, "name": entry.name}
    return [
        {
            "name": section.name,
            "app_label": section.key,
            "app_url": f"{start}#{section.key}",
            "has_module_perms": True,
            "models": entries,
        }
        for section in SIDEBAR
        if (entries := _entries_of(request, section, by_section.get(section.key, {})))
    ]


def _entries_of(
    request: HttpRequest, section: SidebarSection, lists: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """The entries of a section a user may see, in its order; lists it does not name come last."""
    known = [each.model for each in section.entries if isinstance(each, ModelList)]
    entries = [
        lists.get(each.model) if isinstance(each, ModelList) else _page(request, each)
        for each in section.entries
    ]
    others = [each for label, each in lists.items() if label not in known]
    return [*filter(None, entries), *others]


def _page(request: HttpRequest, page: Page) -> dict[str, Any] | None:
    if not any(map(request.user.has_perm, page.permissions)):
        return None
    return {
        "model": None,
        "name": page.name,
        "object_name": page.url_name,
        "perms": {"view": True},
        "admin_url": reverse(page.url_name),
        "add_url": None,
        "view_only": True,
    }
