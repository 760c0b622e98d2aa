"""The columns of the admin's lists: what is in a column says how it is written (formats.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, DateTimeField, Field, Model
from django.utils.html import format_html

from . import formats

#: Columns of whole shillings. All other whole numbers count things (tests/admin/test_lists.py).
MONEY = frozenset(
    {
        *("amount", "approval_above", "borne", "carried", "commission", "commission_reduced"),
        *("cost", "fee", "free_above", "gross", "price", "reduced", "refunded", "sold_for", "sent"),
    }
)
#: Columns that hold people's phones.
PHONES = frozenset({"phone", "mpesa_number", "payment_mpesa_number", "contact"})
#: What a column is called where its list does not say otherwise (``ShopAdmin.labels``).
LABELS = {
    "actor": "By",
    "amount": "Amount",
    "at": "When",
    "county": "County",
    "contact": "Reached at",
    "content_type": "Kind of row",
    "created_at": "When",
    "date_joined": "Joined",
    "decided_by": "Decided by",
    "did": "What was done",
    "door": "Came by",
    "ended_at": "Ended",
    "event": "Event",
    "expires_at": "Held until",
    "is_active": "May sign in",
    "is_open": "Open",
    "item_number": "In stock",
    "mpesa_number": "M-Pesa phone",
    "next_check_at": "Asked again",
    "next_pull_at": "Read again",
    "number": "M-Pesa’s number",
    "object_name": "About",
    "opened_at": "Reported",
    "opening_hours": "Open at",
    "paid_at": "Paid",
    "payment": "Attempt",
    "payment_status": "Stands",
    "phone": "Phone",
    "proposed_at": "When",
    "proposed_by": "Proposed by",
    "received_at": "Received",
    "remote_address": "From address",
    "result_code": "M-Pesa’s code",
    "result_text": "M-Pesa said",
    "sent_at": "Sent",
    "standing": "Stands",
    "state": "Stands",
    "status": "Stands",
    "track": "Order line",
    "track_status": "Stands",
    "updated_at": "Changed",
}


def column(model: type[Model], name: str, labels: Mapping[str, str]) -> str | Callable[[Any], Any]:
    """A column of a list: Django's own by its name, or one that is written as it should be.

    ``labels`` are what this list calls its columns; a column in neither table keeps its own name.
    """
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    label = labels.get(name) or LABELS.get(name)
    write = writer_of(field)
    if write is None and label is None:
        return name
    written = write or _as_it_is(field)

    def cell(row: Any) -> Any:
        return written(row)

    cell.__name__ = name
    if field.get_internal_type() == "BooleanField":
        return admin.display(description=label, boolean=True)(cell)
    return admin.display(description=label or str(field.verbose_name))(cell)


def writer_of(field: Field[Any, Any]) -> Callable[[Any], Any] | None:
    """How a column of a row is written, or None where Django's way will do."""
    name = field.name
    if name in formats.STANDINGS and field.choices:
        return lambda row: formats.standing(row, name)
    if name in PHONES:
        return lambda row: _phone(getattr(row, name))
    if name in MONEY:
        return lambda row: format_html(
            '<span class="shop-kes">{}</span>', formats.kes(getattr(row, name))
        )
    if isinstance(field, DateTimeField):
        return lambda row: formats.moment(getattr(row, name))
    if isinstance(field, DateField):
        return lambda row: formats.write_day(getattr(row, name))
    return None


def _phone(kept: str) -> str:
    shown = formats.dial(kept)
    if shown == kept:
        return shown or formats.NOTHING
    return format_html('<span class="shop-phone">{}</span>', shown)


def _as_it_is(field: Field[Any, Any]) -> Callable[[Any], Any]:
    name = field.name
    if field.choices:
        named = f"get_{name}_display"
        return lambda row: _first_up(getattr(row, named)())
    if field.get_internal_type() == "BooleanField":
        return lambda row: getattr(row, name)
    return lambda row: getattr(row, name) or formats.NOTHING


def _first_up(words: Any) -> str:
    text = str(words or formats.NOTHING)
    return f"{text[:1].upper()}{text[1:]}"
