"""Helpers that open pages of the console and press its buttons."""

from orders.models import Order
from payments.models import (
    GatewayEvent,
    OrderPayment,
    Payout,
    PayoutStop,
    Receipt,
    Refund,
    Withdrawal,
)

CONSOLE = "/admin/payments/console/"
KINDS = {
    Order: "order",
    PayoutStop: "stop",
    Receipt: "receipt",
    OrderPayment: "attempt",
    Refund: "refund",
    Payout: "payout",
    GatewayEvent: "message",
    Withdrawal: "withdrawal",
}


def page(client, path=CONSOLE):
    return client.get(path).content.decode()


def timeline_path(row):
    return f"{CONSOLE}{KINDS[type(row)]}/{row.pk}/"


def act(client, row, key, *, why="Seen on the portal", **given):
    """Press a button, follow to the page it leads to, and read the row again."""
    answer = client.post(f"{timeline_path(row)}{key}/", {"why": why, **given}, follow=True)
    row.refresh_from_db()
    return answer


def shown_messages(response):
    return [str(message) for message in response.context["messages"]]
