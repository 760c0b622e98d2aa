"""On an order line's page: its status and history."""

from __future__ import annotations

from typing import Any

from django.utils.text import capfirst

from accounts.backoffice.formats import kes, moment, phone_link, status_badge
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import Content, Facts, Table, newest_of, section
from accounts.models import User
from orders.models import OrderTrack, TrackEvent

from .descriptions import SEES_ORDERS, price_of


@section(OrderTrack, "summary", "Status", permission="orders.view_ordertrack", place=10)
def show_line(line: OrderTrack, viewer: User) -> Content:
    """A line's status; buyer and commission only for viewers who may see orders."""
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


@section(OrderTrack, "steps", "History", permission="orders.view_trackevent", place=20)
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
