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
        *("cost", "fee", "free_above", "gross", "price", "reduced", "refunded", "sold_for", "sent"),
    }
)
#: Columns with people's phone numbers.
PHONES = frozenset({"phone", "mpesa_number", "payment_mpesa_number", "contact"})
#: Column labels, unless a list has its own (``ShopAdmin.labels``).
LABELS = {
    "actor": "By",
    "amount": "Amount",
    "answered_at": "Answered",
    "applied_at": "Acted on",
    "approval_above": "Needs a second person above",
    "approved_by": "Approved by",
    "at": "When",
    "author": "Decided, or number typed, by",
    "buyer_told_at": "Buyer told",
    "came_back": "Came back under",
    "cancelled_by": "Cancelled by",
    "carried": "Brought along to its payout",
    "cause": "Because",
    "changes": "Before and after",
    "checked_at": "Last asked",
    "checkout_request_id": "Checkout request id",
    "checks": "Asked how often",
    "closed_at": "Closed",
    "code_misses": "Wrong codes typed",
    "commission_reduced": "Commission reduced by",
    "confirmed_at": "Confirmed",
    "contact": "Reached at",
    "content_type": "Kind of row",
    "conversation_id": "M-Pesa’s id of the request",
    "county": "County",
    "created_at": "When",
    "date_joined": "Joined",
    "decided_at": "Decided",
    "decided_by": "Decided by",
    "did": "What was done",
    "disputed": "In a problem",
    "done_at": "Done",
    "source": "Came by",
    "doubt": "Why in doubt",
    "doubted_at": "In doubt since",
    "edited_at": "Changed",
    "ended_at": "Ended",
    "ended_by": "Ended by",
    "event": "Event",
    "expires_at": "Held until",
    "preemptible_after": "Nobody else’s before",
    "given": "What was typed",
    "guest": "Placed by the guest",
    "on_hold_since": "On hold since",
    "held_until": "Held at most until",
    "on_hold_reason": "On hold because",
    "hidden_reason": "Hidden because",
    "id": "Our number",
    "in_doubt": "Payment in doubt",
    "is_active": "May sign in",
    "is_open": "Open",
    "is_staff": "Works here",
    "is_superuser": "May do everything",
    "item_number": "In stock",
    "left_at": "Left",
    "live": "Phone may still ring",
    "lost_since": "Lost since",
    "merchant_request_id": "M-Pesa’s id of the prompt",
    "mpesa_number": "M-Pesa phone",
    "needs_approval": "Waits for, or had, a second person",
    "network": "Network it came from",
    "next_check_at": "Asked again",
    "next_pull_at": "Read again",
    "next_try_at": "Tried again",
    "number": "M-Pesa’s number",
    "object_id": "Number of the row",
    "object_name": "About",
    "opened_at": "Reported",
    "opening_hours": "Open at",
    "order_token": "Token",
    "originator_conversation_id": "Our id",
    "paid_at": "Paid",
    "payment": "Attempt",
    "payment_mpesa_number": "Seller is paid at",
    "payment_status": "Stands",
    "phone": "Phone",
    "phone_by": "Phone typed by",
    "proposed_at": "When",
    "proposed_by": "Proposed by",
    "proved_at": "Was right last",
    "provider_id": "Provider’s id",
    "read_from": "Read from",
    "read_until": "Read until",
    "receipt_asked": "Asked whether the payment stands",
    "receipt_stands_at": "Payment stood on",
    "received_at": "Received",
    "reduced": "Price reduced by",
    "remote_address": "From address",
    "replaces": "Follows the refused",
    "result_code": "M-Pesa’s code",
    "result_text": "M-Pesa said",
    "returned": "Money goes back",
    "reversal_conversation_id": "M-Pesa’s id of the reversal",
    "reverses": "Takes back",
    "rung_at": "Rung",
    "same_as": "Same payment as",
    "seller_told_at": "Seller told",
    "sent_at": "Sent",
    "settled_at": "Settled",
    "sha256": "Fingerprint (SHA-256)",
    "shortcode": "Of number",
    "sold_for": "Sold for",
    "verification": "Stands",
    "is_separate_payment": "Found to be a payment of its own",
    "state": "Stands",
    "status": "Stands",
    "track": "Order line",
    "track_status": "Stands",
    "tried_at": "Tried",
    "unnumbered": "Done without a number",
    "unacknowledged": "To be acknowledged",
    "updated_at": "Changed",
    "user": "Person",
    "waiting": "Waits for the rest",
    "waiting_since": "Unanswered since",
    "withheld_why": "Withheld because",
    "preempted": "Given up early for another buyer",
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
    write = _OF_THEIR_OWN.get(name) or (_whole_words(name) if is_switch else writer_of(field))
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
        return admin.display(description=_label_of(field, labels))(_whole_words(name))
    if name == "content_type" or not (field.many_to_one or field.one_to_one):
        cell = column(model, name, labels)
        if callable(cell) and name in MONEY | PHONES:
            cell.__name__ = f"written_{name}"
        return cell

    def link(row: Any) -> Any:
        return link_to(getattr(row, name), viewer) or formats.NOTHING

    link.__name__ = name
    return admin.display(description=_label_of(field, labels))(link)


def _label_of(field: Any, labels: Mapping[str, str]) -> str:
    return labels.get(field.name) or LABELS.get(field.name) or str(field.verbose_name)


def _whole_words(name: str) -> Callable[[Any], str]:
    """Yes and no as words: Django's red cross suggests an error where there is none."""

    def cell(row: Any) -> str:
        value = getattr(row, name)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value or formats.NOTHING

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


def _what_went_wrong(row: Any) -> str:
    """M-Pesa's result text in a list; a dash on success, which the badge shows."""
    return row.result_text if row.result_text and row.result_code != "0" else formats.NOTHING


def _kind_of_row(row: Any) -> str:
    return _first_up(row.content_type.name)


#: Columns with a format of their own.
_OF_THEIR_OWN: dict[str, Callable[[Any], Any]] = {
    "content_type": _kind_of_row,
    "did": lambda row: formats.dial_in(row.did),
    "object_name": lambda row: formats.dial_in(row.object_name),
    "result_text": _what_went_wrong,
}


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

    def written(row: Any) -> Any:
        value = getattr(row, name)
        return formats.NOTHING if value is None or value == "" else value

    return written


def _first_up(words: Any) -> str:
    text = str(words or formats.NOTHING)
    return f"{text[:1].upper()}{text[1:]}"
