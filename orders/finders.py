"""How order lines, and the orders somebody waits for, are found in the admin's search."""

from __future__ import annotations

from accounts.backoffice.formats import dial, moment, status_badge
from accounts.backoffice.row_page import NEWEST, list_of
from accounts.backoffice.search import Found, Typed, finder, first_of
from accounts.models import User

from .lookup import deliveries_to, find_orders
from .models import Order, OrderTrack
from .sections import SEES_ORDERS, describe_order

# --- Orders, by who receives them ------------------------------------------------------------


def _tell_order(order: Order, viewer: User) -> tuple[str, ...]:
    delivery = order.delivery
    return (
        describe_order(order),
        delivery.recipient,
        dial(delivery.phone),
        str(delivery),
        moment(order.created_at),
    )


@finder(
    "Orders, by who receives them",
    by=("a phone, as people dial it", "the name of who receives an order, or how it begins"),
    permissions=(SEES_ORDERS,),
    headings=("Order", "Stands", "Received by", "Phone", "Goes to", "Placed"),
    tell=_tell_order,
    place=21,
)
def find_orders_for(typed: Typed, viewer: User) -> Found:
    """By the phone or the name of who takes the goods in, who is not always who ordered them."""
    found = deliveries_to(typed.phone or typed.text, NEWEST + 1)
    more = list_of(Order, "All of this person", q=typed.text) if len(found) > NEWEST else None
    return Found([each.order for each in found[:NEWEST]], more)


# --- Lines -----------------------------------------------------------------------------------


def _tell(line: OrderTrack, viewer: User) -> tuple[str, ...]:
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
    headings=("Goods", "Order", "Stands", "How many", "Changed"),
    tell=_tell,
    place=13,
)
def find_lines(typed: Typed, viewer: User) -> Found:
    """The lines of the order with a reference or a token: not by people, as in their list."""
    if viewer.has_perm(SEES_ORDERS):
        # They find the order, and all of its lines on its page.
        return Found()
    of_order = find_orders(typed.text)
    if not of_order.keys() & {"order_token", "reference"}:
        return Found()
    lines = OrderTrack.objects.filter(**{f"order__{name}": each for name, each in of_order.items()})
    more = list_of(OrderTrack, "All its lines", q=typed.text)
    found = first_of(lines.select_related("order").order_by("-pk"), more)
    return found._replace(is_certain=True)
