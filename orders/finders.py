"""How order lines are found in the admin's search, by whoever carries goods and sees no orders."""

from __future__ import annotations

from accounts.backoffice.formats import moment, standing
from accounts.backoffice.row_page import list_of
from accounts.backoffice.search import Found, Typed, finder, first_of
from accounts.models import User

from .lookup import find_orders
from .models import OrderTrack
from .sections import SEES_ORDERS


def _tell(line: OrderTrack, viewer: User) -> tuple[str, ...]:
    return (
        line.order.reference,
        standing(line, "track_status"),
        str(line.number),
        moment(line.updated_at),
    )


@finder(
    "Order lines",
    by=("an order’s reference",),
    permissions=("orders.view_ordertrack",),
    headings=("Goods", "Order", "Stands", "How many", "Changed"),
    tell=_tell,
    place=12,
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
