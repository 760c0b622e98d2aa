"""The admin search for order lines, and for orders by their recipient."""

from __future__ import annotations

from accounts.backoffice.formats import dial, moment, status_badge
from accounts.backoffice.row_page import NEWEST, list_of
from accounts.backoffice.search import Found, Typed, finder, first_of
from accounts.models import User

from .lookup import deliveries_to, find_orders
from .models import Order, OrderTrack
from .sections.descriptions import SEES_ORDERS, describe_order


def _describe_order(order: Order, viewer: User) -> tuple[str, ...]:
    delivery = order.delivery
    return (
        describe_order(order),
        delivery.recipient,
        dial(delivery.phone),
        str(delivery),
        moment(order.created_at),
    )


@finder(
    "Orders, by recipient",
    by=("a phone number", "the recipient’s name, or its beginning"),
    permissions=(SEES_ORDERS,),
    headings=("Order", "Status", "Recipient", "Phone", "Destination", "Placed"),
    cells=_describe_order,
    place=21,
)
def find_orders_for(typed: Typed, viewer: User) -> Found:
    """Find orders by the recipient's phone or name; the recipient may not be the buyer."""
    found = deliveries_to(typed.phone or typed.text, NEWEST + 1)
    more = list_of(Order, "All for this recipient", q=typed.text) if len(found) > NEWEST else None
    return Found([each.order for each in found[:NEWEST]], more)


def _describe(line: OrderTrack, viewer: User) -> tuple[str, ...]:
    return (
        line.order.reference,
        status_badge(line, "track_status"),
        str(line.number),
        moment(line.updated_at),
    )


@finder(
    "Order lines",
    by=("an order’s reference",),
    permissions=("orders.view_ordertrack",),
    headings=("Goods", "Order", "Status", "Quantity", "Changed"),
    cells=_describe,
    place=13,
)
def find_lines(typed: Typed, viewer: User) -> Found:
    """Find lines by their order's reference or token; never by people, as in their list."""
    if viewer.has_perm(SEES_ORDERS):
        # They find the order itself, with all its lines on its page.
        return Found()
    of_order = find_orders(typed.text)
    if not of_order.keys() & {"order_token", "reference"}:
        return Found()
    lines = OrderTrack.objects.filter(**{f"order__{name}": each for name, each in of_order.items()})
    more = list_of(OrderTrack, "All its lines", q=typed.text)
    found = first_of(lines.select_related("order").order_by("-pk"), more)
    return found._replace(is_certain=True)
