"""An order's page in the admin: everything support answers a buyer from, and may do about it.

What stands of its money is told in sums to whoever sees orders; the payments, refunds and messages
themselves to those who see them anywhere else.
"""

from __future__ import annotations

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from accounts.backoffice.links import shown_elsewhere
from accounts.backoffice.row_page import (
    Content,
    Part,
    list_of,
    newest_of,
    section,
)
from accounts.models import User
from orders.models import (
    Order,
    OrderTrack,
    Parcel,
)
from orders.models.notifications import Message
from orders.sections import describe_messages
from payments.backoffice.kinds import console_page
from payments.backoffice.order_story import tell_order
from payments.backoffice.permissions import LOOKING

SEES_ORDERS = "orders.view_order"


def read_around(order: Order) -> None:
    """Read what all of an order's page is made of, each kind of row at once."""
    lines = OrderTrack.objects.select_related("seller", "parcel").order_by("pk")
    parcels = Parcel.objects.select_related("seller", "agent").order_by("pk")
    prefetch_related_objects([order], Prefetch("tracks", lines), Prefetch("parcels", parcels))


@shown_elsewhere(Order)
def _story_of_order(viewer: User, order: Order) -> str:
    """Who sees money, and not orders, finds an order's story on the console."""
    return console_page(order) if viewer.has_perm(LOOKING) else ""


@section(Order, "told", "What was told", permission="orders.view_message", place=80)
def show_told(order: Order, viewer: User) -> Content:
    messages, has_more = newest_of(Message.objects.with_delivery().filter(notice__order=order.pk))
    more = list_of(Message, "All messages", q=order.reference) if has_more else None
    told = describe_messages(messages, viewer)
    return Part("admin/orders/page/told.html", {"messages": told, "more": more})


@section(Order, "story", "What happened", permission=SEES_ORDERS, place=90)
def show_story(order: Order, viewer: User) -> Content:
    sees_money = viewer.has_perm(LOOKING)
    entries = tell_order(order, sees_money=sees_money)
    console = console_page(order) if sees_money else ""
    return Part("admin/payments/page/story.html", {"entries": entries, "console": console})


def time_left(order: Order) -> bool:
    """Whether an unpaid order's phone may still be rung."""
    return order.is_unpaid and order.held_until > timezone.now()
