"""Originals: columns of a row that never change, copied by the database when first written.

A false value that was copied everywhere is consistent; it still differs from its original. The
triggers that copy them are in payments.immutable_triggers.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, F, Func, TextField, Value
from django.db.models.functions import Cast, Coalesce

from accounts.models import Audit, User
from orders.models import PriceReduction

from .models import (
    Channel,
    GatewayEvent,
    LedgerPosting,
    OrderPayment,
    Payout,
    Receipt,
    Refund,
    SellerShare,
)

#: Users who were staff from the start (``createsuperuser``).
INITIAL_STAFF = "born_staff"
#: In the names of all triggers that keep something as it is.
TRIGGER_INFIX = "is_kept"


@dataclass(frozen=True, slots=True)
class ImmutableColumns:
    """Columns of a model whose values never change, kept together as one original per row.

    Values that are not known from the start (``once``) are kept when that column is first filled.
    Without columns, it is kept that the row existed, subject to ``only``. Rows for which
    ``may_delete`` is true (SQL, about ``OLD``) may be deleted.
    """

    kind: str
    model: type[models.Model]
    columns: tuple[str, ...]
    once: str = ""
    may_delete: str = ""
    #: SQL about the new row: only such rows.
    only: str = ""

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def trigger(self) -> str:
        """The name of the trigger that keeps them, and how the names of its others begin."""
        return f"{self.table}_{TRIGGER_INFIX}_{self.kind}"


IMMUTABLE_COLUMNS = [
    ImmutableColumns(
        "attempt",
        OrderPayment,
        ("order_id", "channel", "phone", "amount", "callback_token"),
        # A manual payment that turns out to be a prompt's belongs to the prompt from then on.
        may_delete=f"OLD.channel <> '{Channel.STK}'",
    ),
    ImmutableColumns(
        "attempt_id", OrderPayment, ("checkout_request_id",), once="checkout_request_id"
    ),
    ImmutableColumns("receipt", Receipt, ("provider",)),
    ImmutableColumns("receipt_number", Receipt, ("number",), once="number"),
    ImmutableColumns(
        "refund",
        Refund,
        (
            "receipt_id",
            "order_id",
            "track_id",
            "amount",
            "cause",
            "phone",
            "originator_conversation_id",
            "callback_token",
            "status_token",
        ),
    ),
    ImmutableColumns("refund_number", Refund, ("number",), once="number"),
    ImmutableColumns(
        "payout",
        Payout,
        (
            "seller_id",
            "amount",
            "phone",
            "approval_above",
            "originator_conversation_id",
            "callback_token",
            "status_token",
        ),
    ),
    ImmutableColumns("payout_number", Payout, ("number",), once="number"),
    ImmutableColumns(
        "share", SellerShare, ("track_id", "seller_id", "sold_for", "commission", "amount")
    ),
    ImmutableColumns(
        "reduction", PriceReduction, ("track_id", "problem_id", "amount", "commission")
    ),
    ImmutableColumns(
        "message",
        GatewayEvent,
        ("sha256", "source", "token"),
        # Messages of strangers that match nothing need not be kept for ever.
        may_delete="OLD.source = 'prompt' AND OLD.state IN ('unmatched', 'unreadable', 'aside')"
        " AND OLD.payment_id IS NULL AND OLD.receipt_id IS NULL"
        " AND OLD.refund_id IS NULL AND OLD.payout_id IS NULL",
    ),
    ImmutableColumns(
        "posting", LedgerPosting, ("event", "receipt_id", "refund_id", "payout_id", "share_id")
    ),
    ImmutableColumns(
        "audit",
        Audit,
        ("actor_id", "did", "why", "content_type_id", "object_id", "object_name"),
    ),
    # Apart from the others: entries from before there were keys have none.
    ImmutableColumns("audit_action", Audit, ("action",), once="action"),
    ImmutableColumns(INITIAL_STAFF, User, (), only="{row}.is_staff OR {row}.is_superuser"),
]


class Digest(Func):
    """SHA-256 of columns as computed by the triggers, in hexadecimal."""

    template = "SHA256(%(expressions)s)"
    arg_joiner = " || '|' || "
    output_field = CharField()

    def __init__(self, *columns: str) -> None:
        super().__init__(*(Coalesce(Cast(F(each), TextField()), Value("")) for each in columns))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
        return self.as_sql(compiler, connection, None, template)


class DigestOfBytes(Func):
    """SHA-256 of a binary column, in hexadecimal."""

    template = "SHA256_OF_BYTES(%(expressions)s)"
    arity = 1
    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, None, "encode(sha256(%(expressions)s), 'hex')")


def register_sqlite_digest(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receiver of ``connection_created``: neither SQLite nor Django has a digest of bytes for
    SQLite."""
    if connection.vendor == "sqlite":
        add_digest(connection.connection)


def add_digest(raw: Any) -> None:
    """Register the function that ``DigestOfBytes`` calls on a ``sqlite3`` connection."""
    raw.create_function("SHA256_OF_BYTES", 1, _digest_of_value, deterministic=True)


def _digest_of_value(held: bytes | str | None) -> str:
    """SQLite may store text in a binary column."""
    return sha256(held if isinstance(held, bytes) else str(held).encode()).hexdigest()
