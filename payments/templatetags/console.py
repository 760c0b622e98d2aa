"""Tags and filters of the console's templates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.db.models import Model
from django.template import Context
from django.urls import NoReverseMatch, reverse

from accounts.backoffice.change_list import COUNT_AT_MOST
from accounts.backoffice.proposals import keys_for, waiting_for
from omachemainproj.money import format_kes
from orders.models import Order
from payments.backoffice.kinds import console_page
from payments.backoffice.queue import Queue
from payments.backoffice.queues import count_open

register = template.Library()


@register.simple_tag(takes_context=True)
def count_action_needed(context: Context) -> dict[str, Any]:
    """The number of console rows that need action from the current user."""
    count = count_open(context["request"].user)
    return {"count": count, "is_cut": count >= COUNT_AT_MOST}


@register.simple_tag(takes_context=True)
def count_approvals(context: Context) -> int:
    """The number of proposals that wait for the current user. No query for who approves nothing."""
    user = context["request"].user
    if not keys_for(user):
        return 0
    return waiting_for(user)[:COUNT_AT_MOST].count()


@register.filter
def admin_page(row: Model) -> str:
    """The admin's page of a row; empty if it has none."""
    meta = row._meta
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


@register.filter
def admin_page_for(row: Model, viewer: Any) -> str:
    """The admin's page of a row; empty if it has none or the viewer may not see it."""
    meta = row._meta
    may_view = viewer.has_perm(f"{meta.app_label}.view_{meta.model_name}")
    return admin_page(row) if may_view else ""


@register.filter
def console_or_admin_page(row: Model) -> str:
    """The console's page of a row, or the admin's if there is none."""
    return console_page(row) or admin_page(row)


@register.filter
def all_of(queue: Queue) -> str:
    """The admin's list that holds all rows of a queue."""
    name, _, query = queue.listed.partition("?")
    return f"{reverse(f'admin:{name}')}?{query}"


@register.filter
def is_time(value: Any) -> bool:
    """Whether a value is a datetime, to be shown in Nairobi time."""
    return isinstance(value, datetime)


register.filter("as_kes", format_kes)
register.filter("timeline_page", console_page)


@register.filter
def row_name(row: Model) -> str:
    """The text of a link to a row: its kind, and the reference of an order."""
    kind = str(row._meta.verbose_name)
    return f"{kind} {row.reference}" if isinstance(row, Order) else kind
