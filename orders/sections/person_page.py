"""On a user's page: orders, sales, problems and notifications."""

from __future__ import annotations

from django.utils.text import capfirst

from accounts.backoffice.formats import kes, moment, phone_link
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import Content, Part, Table, list_of, newest_of, section
from accounts.models import User
from orders.models import Order, OrderTrack, Problem
from orders.models.notifications import Message

from .descriptions import (
    SEES_ORDERS,
    describe_messages,
    describe_order,
    describe_problem,
    table_of_lines,
)


@section(User, "orders", "Orders", permission=SEES_ORDERS, place=20)
def show_orders(person: User, viewer: User) -> Content:
    orders, has_more = newest_of(Order.objects.placed_by(person))
    rows = [
        (
            link_to(order, viewer),
            describe_order(order),
            kes(order.amount),
            phone_link(order.mpesa_number),
            moment(order.created_at),
        )
        for order in orders
    ]
    more = list_of(Order, "All orders", buyer=person.pk) if has_more else None
    headings = ("Order", "Status", "Amount", "M-Pesa phone", "Placed")
    return Table(headings, rows, "No orders.", more)


@section(User, "sales", "Sales", permission=SEES_ORDERS, place=30)
def show_sales(person: User, viewer: User) -> Content | None:
    lines, has_more = newest_of(OrderTrack.objects.sold_by(person).select_related("order"))
    if not lines:
        return None
    more = list_of(OrderTrack, "All sales", seller=person.pk) if has_more else None
    return table_of_lines(lines, viewer, more)


@section(User, "problems", "Problems", permission="orders.view_problem", place=70)
def show_problems(person: User, viewer: User) -> Content | None:
    bought, more_bought = newest_of(
        Problem.objects.filter(track__buyer=person.pk).select_related("track__order")
    )
    sold, more_sold = newest_of(Problem.objects.of_seller(person).select_related("track__order"))
    if not bought and not sold:
        return None
    rows = [
        (
            link_to(problem, viewer, capfirst(problem.get_kind_display())),
            "buyer" if problem in bought else "seller",
            str(problem.track),
            link_to(problem.track.order, viewer),
            describe_problem(problem),
            moment(problem.opened_at),
        )
        for problem in sorted([*bought, *sold], key=lambda each: -each.pk)
    ]
    more = None
    if more_sold:
        more = list_of(Problem, "All problems as seller", seller=person.pk)
    elif more_bought:
        more = list_of(Problem, "All problems as buyer", track__buyer=person.pk)
    return Table(("Problem", "As", "Goods", "Order", "Status", "Reported"), rows, "", more)


@section(User, "notifications", "Notifications", permission="orders.view_message", place=80)
def show_notifications(person: User, viewer: User) -> Content:
    messages, has_more = newest_of(Message.objects.with_delivery().filter(user=person.pk))
    more = list_of(Message, "All messages", user=person.pk) if has_more else None
    notifications = describe_messages(messages, viewer)
    return Part("admin/orders/page/notifications.html", {"messages": notifications, "more": more})
