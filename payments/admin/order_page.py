"""An order's page in the admin: all that support needs to answer a buyer, and its actions.

Everyone who may view orders sees the totals of its money. The payments, refunds and gateway
messages themselves need the permission to view those rows.
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
from orders.sections.descriptions import describe_messages
from payments.backoffice.kinds import console_page
from payments.backoffice.order_history import build_order_history
from payments.backoffice.permissions import VIEW_MONEY

SEES_ORDERS = "orders.view_order"


def read_around(order: Order) -> None:
    """Prefetch the lines and parcels that the sections of an order's page show."""
    lines = OrderTrack.objects.select_related("seller", "parcel").order_by("pk")
    parcels = Parcel.objects.select_related("seller", "agent").order_by("pk")
    prefetch_related_objects([order], Prefetch("tracks", lines), Prefetch("parcels", parcels))


@shown_elsewhere(Order)
def _console_history(viewer: User, order: Order) -> str:
    """Viewers of money who may not view orders get the order's history on the console."""
    return console_page(order) if viewer.has_perm(VIEW_MONEY) else ""


@section(Order, "notifications", "Notifications", permission="orders.view_message", place=80)
def show_notifications(order: Order, viewer: User) -> Content:
    messages, has_more = newest_of(Message.objects.with_delivery().filter(notice__order=order.pk))
    more = list_of(Message, "All messages", q=order.reference) if has_more else None
    notifications = describe_messages(messages, viewer)
    return Part("admin/orders/page/notifications.html", {"messages": notifications, "more": more})


@section(Order, "history", "History", permission=SEES_ORDERS, place=90)
def show_history(order: Order, viewer: User) -> Content:
    sees_money = viewer.has_perm(VIEW_MONEY)
    entries = build_order_history(order, sees_money=sees_money)
    console = console_page(order) if sees_money else ""
    return Part("admin/payments/page/story.html", {"entries": entries, "console": console})


def time_left(order: Order) -> bool:
    """Whether the buyer of an unpaid order may still be prompted."""
    return order.is_unpaid and order.held_until > timezone.now()
