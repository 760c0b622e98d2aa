"""Tags and filters of the console's templates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.db.models import Model
from django.template import Context
from django.urls import NoReverseMatch, reverse

from accounts.backoffice.admin import COUNT_AT_MOST
from omachemainproj.money import format_kes
from orders.models import Order
from payments.backoffice.kinds import console_page
from payments.backoffice.queue import Queue
from payments.backoffice.queues import count_open

register = template.Library()


@register.simple_tag(takes_context=True)
def needs_a_person(context: Context) -> dict[str, Any]:
    """How many things need whoever looks at the admin's front page."""
    count = count_open(context["request"].user)
    return {"count": count, "is_cut": count >= COUNT_AT_MOST}


@register.filter
def admin_page(row: Model) -> str:
    """The admin's page of a row; empty where it has none."""
    meta = row._meta
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


@register.filter
def admin_page_for(row: Model, viewer: Any) -> str:
    """The admin's page of a row; empty where it has none, or somebody may not see it."""
    meta = row._meta
    is_seen = viewer.has_perm(f"{meta.app_label}.view_{meta.model_name}")
    return admin_page(row) if is_seen else ""


@register.filter
def story_page(row: Model) -> str:
    """The console's page about a row, or else the admin's."""
    return console_page(row) or admin_page(row)


@register.filter
def all_of(queue: Queue) -> str:
    """The admin's list that holds all of a queue."""
    name, _, query = queue.listed.partition("?")
    return f"{reverse(f'admin:{name}')}?{query}"


@register.filter
def is_time(value: Any) -> bool:
    """Whether a value is a moment, to be shown in Nairobi's time."""
    return isinstance(value, datetime)


register.filter("as_kes", format_kes)
register.filter("timeline_page", console_page)


@register.filter
def row_name(row: Model) -> str:
    """What a link to a row is called: its kind, and of an order its reference."""
    kind = str(row._meta.verbose_name)
    return f"{kind} {row.reference}" if isinstance(row, Order) else kind
