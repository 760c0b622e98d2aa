"""The sections of the dashboard, and whom each is for. Adding one is a function and an entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser

from accounts.models import User

from .charts import Content
from .dashboard import (
    FEW,
    LATELY,
    RECENT,
    outcomes,
    payouts_due,
    sales,
    stock_running_out,
    stuck_money,
    time_to_pay,
)


@dataclass(frozen=True, slots=True)
class Panel:
    """One section: who may see it, and what it says now."""

    key: str
    title: str
    about: str
    permission: str
    read: Callable[[datetime], Content]


#: What the dashboard shows, from the top.
PANELS = (
    Panel(
        "sales",
        "Sales",
        "Orders that are paid, by the day they were placed. What was returned since is in them.",
        "orders.view_order",
        sales,
    ),
    Panel(
        "outcomes",
        "Payments by outcome",
        f"Attempts to pay that began in the last {RECENT} days.",
        "payments.view_orderpayment",
        outcomes,
    ),
    Panel(
        "time-to-pay",
        "From prompt to paid",
        f"From the moment M-Pesa was asked until the money was here, in the last {RECENT} days.",
        "payments.view_orderpayment",
        time_to_pay,
    ),
    Panel(
        "stuck",
        "Stuck money",
        "What the console holds now; each leads to it.",
        "payments.view_receipt",
        stuck_money,
    ),
    Panel(
        "payouts",
        "Payouts due",
        "What sellers have earned and do not have yet.",
        "payments.view_payout",
        payouts_due,
    ),
    Panel(
        "stock",
        "Stock running out",
        f"Listed, {FEW} or fewer free, and among the shop’s last {LATELY:,} lines.",
        "products.view_product",
        stock_running_out,
    ),
)


def panels_for(user: User | AnonymousUser) -> list[Panel]:
    """The sections this person may see."""
    return [panel for panel in PANELS if user.has_perm(panel.permission)]
