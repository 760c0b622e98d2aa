"""The columns of the admin's lists, formatted by their kind of value (formats.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, DateTimeField, Field, Model
from django.utils.html import format_html

from accounts.models import User

from . import formats
from .links import link_to

#: Columns in KES. All other integers are counts (tests/admin/test_lists.py).
MONEY = frozenset(
    {
        *("amount", "approval_above", "written_off", "carried", "commission", "commission_reduced"),
        *("cost", "fee", "free_above", "gross", "price", "reduced", "refunded", "reported_amount"),
        *("sold_for", "sent"),
    }
)
#: Columns with people's phone numbers.
PHONES = frozenset({"phone", "mpesa_number", "payment_mpesa_number", "contact"})
#: Column labels, unless a list has its own (``ShopAdmin.labels``).
LABELS = {
    "actor": "By",
    "amount": "Amount",
    "answered_at": "Answered",
    "applied_at": "Processed",
    "approval_above": "Needs approval above",
    "approved_by": "Approved by",
    "at": "When",
    "author": "Decided or entered by",
    "buyer_told_at": "Buyer notified",
    "return_receipt": "Returned as",
    "cancelled_by": "Cancelled by",
    "carried": "Carried over to its payout",
    "cause": "Cause",
    "changes": "Before and after",
    "checked_at": "Last query",
    "checkout_request_id": "Checkout request id",
    "checks": "Queries sent",
    "closed_at": "Closed",
    "code_misses": "Wrong codes entered",
    "commission_reduced": "Commission reduced by",
    "confirmed_at": "Confirmed",
    "contact": "Contact",
    "content_type": "Type",
    "conversation_id": "M-Pesa’s id of the request",
    "county": "County",
    "created_at": "When",
    "date_joined": "Joined",
    "decided_at": "Decided",
    "decided_by": "Decided by",
    "did": "Action",
    "disputed": "In dispute",
    "done_at": "Done",
    "source": "Source",
    "doubt": "Reason for doubt",
    "doubted_at": "In doubt since",
    "edited_at": "Changed",
    "ended_at": "Ended",
    "ended_by": "Ended by",
    "event": "Event",
    "expires_at": "Reserved until",
    "preemptible_after": "Reserved exclusively until",
    "given": "Input",
    "guest": "Placed by the guest",
    "on_hold_since": "On hold since",
    "held_until": "Reserved at most until",
    "on_hold_reason": "On hold because",
    "hidden_reason": "Hidden because",
    "id": "ID",
    "in_doubt": "Payment in doubt",
    "is_active": "May sign in",
    "is_open": "Open",
    "is_staff": "Staff",
    "is_superuser": "Superuser",
    "item_number": "In stock",
    "late_refusal": "Late money refunded because",
    "left_at": "Left",
    "live": "Prompt may still show",
    "lost_since": "Lost since",
    "merchant_request_id": "M-Pesa’s id of the prompt",
    "mpesa_number": "M-Pesa phone",
    "needs_approval": "Needs or had approval",
    "network": "Network it came from",
    "next_check_at": "Next query",
    "next_pull_at": "Next read",
    "next_try_at": "Next try",
    "number": "M-Pesa’s number",
    "object_id": "Row ID",
    "object_name": "About",
    "opened_at": "Reported",
    "opening_hours": "Opening hours",
    "order_token": "Token",
    "originator_conversation_id": "Our id",
    "paid_at": "Paid",
    "payment": "Attempt",
    "payment_mpesa_number": "Seller’s payout number",
    "payment_status": "Status",
    "phone": "Phone",
    "phone_by": "Phone entered by",
    "proposed_at": "When",
    "proposed_by": "Proposed by",
    "proved_at": "Last correct",
    "provider_id": "Provider’s id",
    "read_from": "Read from",
    "read_until": "Read until",
    "receipt_queries": "Times the payment was queried",
    "receipt_checked_at": "Payment confirmed on",
    "received_at": "Received",
    "reduced": "Price reduced by",
    "remote_address": "IP address",
    "replaces": "Replaces the refused",
    "result_code": "M-Pesa’s code",
    "result_text": "M-Pesa’s answer",
    "returned": "Money is returned",
    "reversal_conversation_id": "M-Pesa’s id of the reversal",
    "reverses": "Reverses",
    "rung_at": "Prompted",
    "same_as": "Same payment as",
    "seller_told_at": "Seller notified",
    "sent_at": "Sent",
    "settled_at": "Settled",
    "sha256": "Fingerprint (SHA-256)",
    "reported_amount": "Amount M-Pesa reports",
    "shortcode": "Short code",
    "sold_for": "Sold for",
    "verification": "Status",
    "is_separate_payment": "Separate payment",
    "state": "Status",
    "status": "Status",
    "track": "Order line",
    "track_status": "Status",
    "tried_at": "Tried",
    "unnumbered": "Done without a receipt number",
    "unacknowledged": "To be acknowledged",
    "updated_at": "Changed",
    "user": "Person",
    "waiting": "Waiting for the rest",
    "waiting_since": "Unanswered since",
    "withheld_why": "Withheld because",
    "preempted": "Released early for another buyer",
    "written_off": "Written off",
}


def column(model: type[Model], name: str, labels: Mapping[str, str]) -> str | Callable[[Any], Any]:
    """A list column: a field name for Django's default display, or a formatting function.

    ``labels`` are the list's own; a column without any label keeps its verbose name.
    """
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    label = labels.get(name) or LABELS.get(name)
    is_switch = field.get_internal_type() == "BooleanField"
    write = _SPECIAL_FORMATS.get(name) or (_yes_or_no(name) if is_switch else writer_of(field))
    if write is None and label is None:
        return name
    written = write or _as_it_is(field)

    def cell(row: Any) -> Any:
        return written(row)

    cell.__name__ = name
    return admin.display(description=label or str(field.verbose_name))(cell)


def field_of_page(
    model: type[Model], name: str, labels: Mapping[str, str], viewer: User
) -> str | Callable[[Any], Any]:
    """A column on a row's own page: as in a list, with foreign keys as links.

    Help texts about digits or units are not shown beside formatted numbers and phones.
    """
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    if field.get_internal_type() == "BooleanField" or name == "result_text":
        return admin.display(description=_label_of(field, labels))(_yes_or_no(name))
    if name == "content_type" or not (field.many_to_one or field.one_to_one):
        cell = column(model, name, labels)
        if callable(cell) and name in MONEY | PHONES:
            cell.__name__ = f"written_{name}"
        return cell

    def link(row: Any) -> Any:
        return link_to(getattr(row, name), viewer) or formats.EMPTY_VALUE

    link.__name__ = name
    return admin.display(description=_label_of(field, labels))(link)


def _label_of(field: Any, labels: Mapping[str, str]) -> str:
    return labels.get(field.name) or LABELS.get(field.name) or str(field.verbose_name)


def _yes_or_no(name: str) -> Callable[[Any], str]:
    """Yes and no as words: Django's red cross suggests an error where there is none."""

    def cell(row: Any) -> str:
        value = getattr(row, name)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value or formats.EMPTY_VALUE

    cell.__name__ = name
    return cell


def writer_of(field: Field[Any, Any]) -> Callable[[Any], Any] | None:
    """The formatting function for a column, or None for Django's default display."""
    name = field.name
    if name in formats.STATUS_COLUMNS and field.choices:
        return lambda row: formats.status_badge(row, name)
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


def _result_text(row: Any) -> str:
    """M-Pesa's result text in a list; a dash on success, which the badge shows.

    A pull of the statement has a text alone: why it failed.
    """
    succeeded = getattr(row, "result_code", "") == "0"
    return row.result_text if row.result_text and not succeeded else formats.EMPTY_VALUE


def _kind_of_row(row: Any) -> str:
    return _capitalise_first(row.content_type.name)


#: Columns with a format of their own.
_SPECIAL_FORMATS: dict[str, Callable[[Any], Any]] = {
    "content_type": _kind_of_row,
    "did": lambda row: formats.dial_in(row.did),
    "object_name": lambda row: formats.dial_in(row.object_name),
    "result_text": _result_text,
}


def _phone(phone: str) -> str:
    shown = formats.dial(phone)
    if shown == phone:
        return shown or formats.EMPTY_VALUE
    return format_html('<span class="shop-phone">{}</span>', shown)


def _as_it_is(field: Field[Any, Any]) -> Callable[[Any], Any]:
    name = field.name
    if field.choices:
        named = f"get_{name}_display"
        return lambda row: _capitalise_first(getattr(row, named)())

    def written(row: Any) -> Any:
        value = getattr(row, name)
        return formats.EMPTY_VALUE if value is None or value == "" else value

    return written


def _capitalise_first(words: Any) -> str:
    text = str(words or formats.EMPTY_VALUE)
    return f"{text[:1].upper()}{text[1:]}"
