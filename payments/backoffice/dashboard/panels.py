"""The panels of the dashboard in order, and the permission each needs."""

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
from .sales import best_goods, best_sellers, commission_and_refunds, new_people, sales


@dataclass(frozen=True, slots=True)
class Panel:
    """A section of the dashboard, read for a period or for the current moment."""

    key: str
    title: str
    about: str
    permission: str
    read: Callable[[Period], Content]
    #: It shows the current state, whatever period is chosen.
    is_of_now: bool = False


#: In the order of the page.
PANELS = (
    Panel(
        "sales",
        "Sales",
        "Paid orders by the day they were placed, without delivery fees. Later returns are not "
        "deducted.",
        "orders.view_order",
        sales,
    ),
    Panel(
        "share",
        "Commission and refunds",
        "Commission on each day’s sales, excluding later refunds, and the amount refunded to "
        "buyers that day.",
        "payments.view_refundday",
        commission_and_refunds,
    ),
    Panel(
        "people",
        "New accounts",
        "Accounts by the day they were opened, without guests.",
        "accounts.view_user",
        new_people,
    ),
    Panel(
        "problems",
        "Problems with goods",
        "Problems that are not closed.",
        "orders.view_problem",
        open_problems,
        is_of_now=True,
    ),
    Panel(
        "late",
        "Late parcels",
        "Paid parcels not delivered within the agreed time, oldest first.",
        "orders.view_order",
        late_parcels,
        is_of_now=True,
    ),
    Panel(
        "goods",
        "Best-selling goods",
        "By pieces, in paid orders.",
        "products.view_product",
        best_goods,
    ),
    Panel(
        "sellers",
        "Top sellers",
        "By the price of their goods, in paid orders.",
        "orders.view_order",
        best_sellers,
    ),
    Panel(
        "outcomes",
        "Payments by outcome",
        "Payment attempts started in the period.",
        "payments.view_orderpayment",
        outcomes,
    ),
    Panel(
        "time-to-pay",
        "Time to pay",
        "Time between sending the STK push and receiving the payment.",
        "payments.view_orderpayment",
        time_to_pay,
    ),
    Panel(
        "stuck",
        "Stuck money",
        "Rows in the console’s queues.",
        "payments.view_receipt",
        stuck_money,
        is_of_now=True,
    ),
    Panel(
        "payouts",
        "Payouts due",
        "Earnings that sellers have not received yet.",
        "payments.view_payout",
        payouts_due,
        is_of_now=True,
    ),
    Panel(
        "stock",
        "Low stock",
        f"Listed products with {NEARLY_SOLD_OUT} or fewer free, sold in the shop’s last "
        f"{RECENT_LINES:,} order lines.",
        "products.view_product",
        stock_running_out,
        is_of_now=True,
    ),
)


def panels_for(user: User | AnonymousUser) -> list[Panel]:
    """The panels this user may see."""
    return [panel for panel in PANELS if user.has_perm(panel.permission)]
