"""What orders know of a person and of a product, as sections of their pages in the admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.text import capfirst

from accounts.backoffice.formats import Tone, badge, dial, kes, moment, phone_link, status_badge
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import (
    Buttons,
    Content,
    Facts,
    Part,
    Table,
    list_of,
    newest_of,
    section,
)
from accounts.models import User
from products.models import Product

from .models import Order, OrderTrack, PaymentStatus, Problem, TrackEvent
from .models.notifications import NOT_DELIVERED, Message, MessageState, ReportedStatus

SEES_ORDERS = "orders.view_order"


def describe_order(order: Order) -> str:
    """How an order stands, as a badge."""
    if order.in_doubt:
        return badge("payment in doubt", Tone.BAD)
    return status_badge(order, "payment_status")


def describe_problem(problem: Problem) -> str:
    """How a problem stands or ended, as a badge."""
    if problem.is_undecided:
        return status_badge(problem, "state")
    back = f", {kes(problem.refunded)} back" if problem.refunded else ""
    return badge(f"{problem.get_outcome_display()}{back}", Tone.QUIET)


def describe_messages(messages: Sequence[Any], viewer: User) -> list[dict[str, Any]]:
    """Messages as a page shows them, with the button to send one again where it may be.

    They were read ``with_delivery``.
    """
    again = viewer.has_perm("orders.resend_message")
    return [
        {
            "link": link_to(message, viewer, capfirst(message.get_kind_display())),
            "to": f"{message.get_channel_display()}, {dial(message.contact)}",
            "state": _how_it_stands(message),
            "reason": message.reason or message.reported_why or "",
            "at": moment(message.sent_at or message.created_at),
            "buttons": Buttons(message, [("send_again", "Send again")])
            if again and may_be_sent_again(message)
            else None,
        }
        for message in messages
    ]


def _how_it_stands(message: Any) -> str:
    """A message's state as a badge; of an SMS that left, what its provider says became of it."""
    if message.state == MessageState.SENT and message.reported:
        tone = {ReportedStatus.SUCCESS: Tone.GOOD}.get(message.reported, Tone.OPEN)
        if message.reported in NOT_DELIVERED:
            tone = Tone.BAD
        return badge(ReportedStatus(message.reported).label, tone)
    return status_badge(message, "state")


def may_be_sent_again(message: Any) -> bool:
    """Whether a message with its delivery did not reach its reader, or perhaps not."""
    is_unsent = message.state in {MessageState.FAILED, MessageState.UNKNOWN}
    return is_unsent or (message.state == MessageState.SENT and message.reported in NOT_DELIVERED)


# --- Of a person -----------------------------------------------------------------------------


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
    more = list_of(Order, "All their orders", buyer=person.pk) if has_more else None
    headings = ("Order", "Status", "Price", "Paying phone", "Placed")
    return Table(headings, rows, "They have ordered nothing.", more)


@section(User, "sales", "Sales", permission=SEES_ORDERS, place=30)
def show_sales(person: User, viewer: User) -> Content | None:
    lines, has_more = newest_of(OrderTrack.objects.sold_by(person).select_related("order"))
    if not lines:
        return None
    more = list_of(OrderTrack, "All their sales", seller=person.pk) if has_more else None
    return _table_of_lines(lines, viewer, more)


def _table_of_lines(lines: Sequence[OrderTrack], viewer: User, more: Any) -> Table:
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
        more = list_of(Problem, "All with what they sold", seller=person.pk)
    elif more_bought:
        more = list_of(Problem, "All with what they bought", track__buyer=person.pk)
    return Table(("Problem", "Role", "Goods", "Order", "Status", "Reported"), rows, "", more)


@section(User, "told", "Notifications", permission="orders.view_message", place=80)
def show_told(person: User, viewer: User) -> Content:
    messages, has_more = newest_of(Message.objects.with_delivery().filter(user=person.pk))
    more = list_of(Message, "All their notifications", user=person.pk) if has_more else None
    told = describe_messages(messages, viewer)
    return Part("admin/orders/page/told.html", {"messages": told, "more": more})


# --- Of a line -------------------------------------------------------------------------------


@section(OrderTrack, "stands", "Status", permission="orders.view_ordertrack", place=10)
def show_line(line: OrderTrack, viewer: User) -> Content:
    """How a line stands; who bought it and what its seller gets only for who sees orders."""
    facts: list[tuple[str, Any]] = [
        ("Goods", str(line)),
        ("Price", price_of(line)),
        ("Since", moment(line.updated_at)),
        ("Seller", link_to(line.seller, viewer)),
    ]
    if viewer.has_perm(SEES_ORDERS):
        facts += [
            ("Paid to", phone_link(line.payment_mpesa_number)),
            ("Commission", kes(line.commission)),
            ("Buyer", link_to(line.buyer, viewer)),
        ]
    return Facts(facts, lead=status_badge(line, "track_status"))


def price_of(line: OrderTrack) -> str:
    """A line's price, in KES, and what it was reduced by."""
    price = kes(line.amount)
    if line.number > 1:
        price = f"{line.number} × {kes(line.price)} = {price}"
    return f"{price}, reduced by {kes(line.reduced)}" if line.reduced else price


@section(OrderTrack, "steps", "Steps", permission="orders.view_trackevent", place=20)
def show_steps(line: OrderTrack, viewer: User) -> Content:
    steps, _ = newest_of(TrackEvent.objects.filter(track=line.pk).select_related("actor"))
    rows = [
        (
            capfirst(step.get_track_status_display()),
            link_to(step.actor, viewer) or "the shop",
            step.note or (step.get_cause_display() if step.cause else ""),
            moment(step.created_at),
        )
        for step in steps
    ]
    return Table(("Step", "By", "Note", "When"), rows, "None.")


# --- Of a product ----------------------------------------------------------------------------


@section(Product, "holds", "Held for", permission=SEES_ORDERS, place=60, below=True)
def show_holds(product: Product, viewer: User) -> Content | None:
    """The unpaid orders that hold it. No query where none does."""
    if not product.held:
        return None
    held = OrderTrack.objects.filter(
        product=product.pk, order__payment_status=PaymentStatus.REQUESTED
    )
    lines, has_more = newest_of(held.select_related("order"))
    rows = [
        (link_to(line.order, viewer), str(line.number), moment(line.order.expires_at))
        for line in lines
    ]
    more = None
    if has_more:
        more = list_of(
            OrderTrack, "All that hold it", product=product.pk, track_status__exact="created"
        )
    return Table(("Order", "How many", "Until"), rows, "None.", more)


@section(Product, "sales", "Sales", permission=SEES_ORDERS, place=70, below=True)
def show_sales_of_product(product: Product, viewer: User) -> Content:
    lines, has_more = newest_of(
        OrderTrack.objects.filter(product=product.pk).select_related("order")
    )
    more = list_of(OrderTrack, "All its sales", product=product.pk) if has_more else None
    return _table_of_lines(lines, viewer, more)
