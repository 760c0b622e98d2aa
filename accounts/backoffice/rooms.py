"""The admin's rooms: what is where on the start page and in the sidebar, by job and not by app.

The apps above this one are named, not imported. Who sees what is said by permissions alone: a room
of which somebody may see nothing is not there for them.
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
    """A page of ours beside the lists; for whoever has one of the permissions."""

    url_name: str
    name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The list of a model, under the name that people who work with it use."""

    model: str
    name: str


@dataclass(frozen=True, slots=True)
class Room:
    """What belongs to one job, the most used first."""

    key: str
    name: str
    holds: tuple[Page | Shelf, ...]


ROOMS = (
    Room(
        "needs-you",
        "Needs you",
        (
            Page("console", "What needs you", ("payments.view_receipt", "orders.view_problem")),
            Shelf("accounts.Proposal", "For a second person"),
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
    Room(
        "orders",
        "Orders",
        (
            Shelf("orders.Order", "Orders"),
            Shelf("orders.OrderTrack", "Order lines"),
            Shelf("orders.Problem", "Problems with goods"),
        ),
    ),
    Room(
        "deliveries",
        "Deliveries",
        (
            Page("parcels-console", "Parcels", ("orders.move_track", "orders.decide_lines")),
            Shelf("orders.PickupPoint", "Pick-up points"),
            Shelf("orders.DeliveryRate", "Delivery rates"),
        ),
    ),
    Room(
        "goods",
        "Goods",
        (
            Shelf("products.Product", "Products"),
            Shelf("products.Review", "Reviews"),
            Shelf("products.StockMovement", "Stock movements"),
        ),
    ),
    Room(
        "people",
        "People",
        (
            Shelf("accounts.User", "People"),
            Shelf("auth.Group", "Roles"),
            Shelf("accounts.Audit", "What staff did"),
        ),
    ),
    Room(
        "money",
        "Money",
        (
            Shelf("payments.Receipt", "Money in"),
            Shelf("payments.OrderPayment", "Attempts to pay"),
            Shelf("payments.Refund", "Refunds"),
            Shelf("payments.Payout", "Payouts"),
            Shelf("payments.SellerShare", "Owed to sellers, by line"),
            Shelf("payments.PayoutStop", "Stops of all payouts"),
            Shelf("payments.Withdrawal", "Money that left unexplained"),
            Shelf("payments.PayoutDay", "Paid out, by day"),
            Shelf("payments.RefundDay", "Refunded, by day"),
        ),
    ),
    Room("messages", "Messages", (Shelf("orders.Message", "Messages to people"),)),
    Room(
        "machine-room",
        "Machine room",
        (
            Shelf("payments.GatewayEvent", "Messages of the gateway"),
            Shelf("payments.StatementPull", "M-Pesa’s statement"),
            Shelf("payments.PortalStatement", "Statements from the portal"),
            Shelf("payments.LedgerPosting", "Postings"),
            Shelf("payments.LedgerEntry", "Ledger entries"),
            Shelf("accounts.PasswordTries", "Failed log-ins and locks"),
        ),
    ),
)

_SHELVES = {
    each.model: (room, each) for room in ROOMS for each in room.holds if isinstance(each, Shelf)
}
#: The pages beside the lists, by the name of their URL.
PAGES = {each.url_name: each for room in ROOMS for each in room.holds if isinstance(each, Page)}


def find_shelf(opts: Options[Any]) -> tuple[Room, Shelf]:
    """The room of a model's list, and its name; one that stands nowhere is in the last room."""
    name = str(opts.verbose_name_plural)
    unknown = Shelf(opts.label, f"{name[:1].upper()}{name[1:]}")
    return _SHELVES.get(opts.label, (ROOMS[-1], unknown))


def furnish(request: HttpRequest, lists: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rooms with what this person may see in them, as AdminSite.get_app_list gives apps.

    ``lists`` are Django's descriptions of the lists they may see.
    """
    start = reverse("admin:index")
    by_room: dict[str, dict[str, dict[str, Any]]] = {}
    for each in lists:
        room, shelf = find_shelf(each["model"]._meta)
        by_room.setdefault(room.key, {})[shelf.model] = {**each, "name": shelf.name}
    return [
        {
            "name": room.name,
            "app_label": room.key,
            "app_url": f"{start}#{room.key}",
            "has_module_perms": True,
            "models": held,
        }
        for room in ROOMS
        if (held := _held(request, room, by_room.get(room.key, {})))
    ]


def _held(
    request: HttpRequest, room: Room, lists: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """What of a room somebody sees, in the room's order; lists that it does not name come last."""
    known = [each.model for each in room.holds if isinstance(each, Shelf)]
    held = [
        lists.get(each.model) if isinstance(each, Shelf) else _page(request, each)
        for each in room.holds
    ]
    others = [each for label, each in lists.items() if label not in known]
    return [*filter(None, held), *others]


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
