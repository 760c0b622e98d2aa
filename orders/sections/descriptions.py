"""How orders, lines, problems and messages are shown in sections and lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.text import capfirst

from accounts.backoffice.formats import Tone, badge, dial, kes, moment, status_badge
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import Buttons, Table
from accounts.models import User
from orders.models import Order, OrderTrack, Problem
from orders.models.notifications import NOT_DELIVERED, MessageState, ReportedStatus

SEES_ORDERS = "orders.view_order"


def describe_order(order: Order) -> str:
    """An order's status, as a badge."""
    if order.in_doubt:
        return badge("payment in doubt", Tone.BAD)
    return status_badge(order, "payment_status")


def describe_problem(problem: Problem) -> str:
    """A problem's status or outcome, as a badge."""
    if problem.is_undecided:
        return status_badge(problem, "state")
    back = f", {kes(problem.refunded)} refunded" if problem.refunded else ""
    return badge(f"{problem.get_outcome_display()}{back}", Tone.QUIET)


def describe_messages(messages: Sequence[Any], viewer: User) -> list[dict[str, Any]]:
    """Messages read ``with_delivery``, as a page shows them, with a button to send one again if the
    viewer may."""
    again = viewer.has_perm("orders.resend_message")
    return [
        {
            "link": link_to(message, viewer, capfirst(message.get_kind_display())),
            "to": f"{message.get_channel_display()}, {dial(message.contact)}",
            "state": _delivery_badge(message),
            "reason": message.reason or message.reported_why or "",
            "at": moment(message.sent_at or message.created_at),
            "buttons": Buttons(message, [("send_again", "Send again")])
            if again and may_be_sent_again(message)
            else None,
        }
        for message in messages
    ]


def _delivery_badge(message: Any) -> str:
    """A message's state as a badge; for a sent SMS, the status its provider reported."""
    if message.state == MessageState.SENT and message.reported:
        tone = {ReportedStatus.SUCCESS: Tone.GOOD}.get(message.reported, Tone.OPEN)
        if message.reported in NOT_DELIVERED:
            tone = Tone.BAD
        return badge(ReportedStatus(message.reported).label, tone)
    return status_badge(message, "state")


def may_be_sent_again(message: Any) -> bool:
    """Whether a message, read ``with_delivery``, may not have reached its recipient."""
    is_unsent = message.state in {MessageState.FAILED, MessageState.UNKNOWN}
    return is_unsent or (message.state == MessageState.SENT and message.reported in NOT_DELIVERED)


def table_of_lines(lines: Sequence[OrderTrack], viewer: User, more: Any) -> Table:
    """Order lines as sales, with a link to their order."""
    rows = [
        (
            link_to(line, viewer),
            link_to(line.order, viewer),
            status_badge(line, "track_status"),
            kes(line.amount),
            moment(line.created_at),
        )
        for line in lines
    ]
    return Table(("Goods", "Order", "Status", "Price", "Ordered"), rows, "None.", more)


def price_of(line: OrderTrack) -> str:
    """A line's price, and its reduction if any, in KES."""
    price = kes(line.amount)
    if line.number > 1:
        price = f"{line.number} × {kes(line.price)} = {price}"
    return f"{price}, reduced by {kes(line.reduced)}" if line.reduced else price
