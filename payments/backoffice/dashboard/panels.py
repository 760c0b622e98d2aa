"""The panels of the dashboard, from the top, and who may see each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from payments.backoffice.charts import (
    Content,
)
from payments.backoffice.period import Period

from .goods import NEARLY_SOLD_OUT, RECENT_LINES, late_parcels, open_problems, stock_running_out
from .payments import outcomes, payouts_due, stuck_money, time_to_pay
from .sales import best_goods, best_sellers, new_people, sales, shops_share


@dataclass(frozen=True, slots=True)
class Panel:
    """A section of the dashboard: who may see it, and what it says of a period, or of now."""

    key: str
    title: str
    about: str
    permission: str
    read: Callable[[Period], Content]
    #: It says how things stand, whatever period is chosen.
    is_of_now: bool = False


#: What the dashboard shows, from the top. Another is a function above, and an entry here.
PANELS = (
    Panel(
        "sales",
        "Sales",
        "Orders that are paid, by the day they were placed: their goods, without delivery fees. "
        "What was returned since is in them.",
        "orders.view_order",
        sales,
    ),
    Panel(
        "share",
        "Commission and refunds",
        "The commission that was agreed on what was sold that day and not given back since; and "
        "what left to buyers that day.",
        "payments.view_refundday",
        shops_share,
    ),
    Panel(
        "people",
        "New people",
        "Who opened an account; guests have none.",
        "accounts.view_user",
        new_people,
    ),
    Panel(
        "problems",
        "Problems with goods",
        "What is not closed now.",
        "orders.view_problem",
        open_problems,
        is_of_now=True,
    ),
    Panel(
        "late",
        "Late parcels",
        "Paid for, and not with their buyers after the days that were agreed. The longest first.",
        "orders.view_order",
        late_parcels,
        is_of_now=True,
    ),
    Panel(
        "goods",
        "Best-selling goods",
        "By pieces, in orders that are paid.",
        "products.view_product",
        best_goods,
    ),
    Panel(
        "sellers",
        "Best-selling sellers",
        "By the price of their goods, in orders that are paid.",
        "orders.view_order",
        best_sellers,
    ),
    Panel(
        "outcomes",
        "Payments by outcome",
        "Attempts to pay that began then.",
        "payments.view_orderpayment",
        outcomes,
    ),
    Panel(
        "time-to-pay",
        "From prompt to paid",
        "From the moment M-Pesa was asked until the money was here.",
        "payments.view_orderpayment",
        time_to_pay,
    ),
    Panel(
        "stuck",
        "Stuck money",
        "What the console holds now; each leads to it.",
        "payments.view_receipt",
        stuck_money,
        is_of_now=True,
    ),
    Panel(
        "payouts",
        "Payouts due",
        "What sellers have earned and do not have yet.",
        "payments.view_payout",
        payouts_due,
        is_of_now=True,
    ),
    Panel(
        "stock",
        "Stock running out",
        f"Listed, {NEARLY_SOLD_OUT} or fewer free, and among the shop’s last {RECENT_LINES:,}"
        " lines.",
        "products.view_product",
        stock_running_out,
        is_of_now=True,
    ),
)


def panels_for(user: User | AnonymousUser) -> list[Panel]:
    """The panels this person may see."""
    return [panel for panel in PANELS if user.has_perm(panel.permission)]
