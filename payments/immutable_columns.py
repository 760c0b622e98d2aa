"""Originals: columns of a row that never change, copied by the database when first written.

A false value that was copied everywhere is consistent; it still differs from its original. The
triggers are created again after every ``migrate``, as SQLite drops those of a table it alters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import connections, models, transaction
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
    Original,
    Payout,
    Receipt,
    Refund,
    SellerShare,
)

#: Users who were staff from the start (``createsuperuser``).
BORN_STAFF = "born_staff"
#: In the names of all triggers that keep something as it is.
TRIGGER_INFIX = "is_kept"
REFUSAL = "what was kept is never changed or deleted"


@dataclass(frozen=True, slots=True)
class ImmutableColumns:
    """Columns of a model whose values never change, kept together as one original per row.

    Values that are not known from the start (``once``) are kept when that column is first filled.
    Without columns, it is kept that the row existed, subject to ``only``. Rows for which
    ``may_go`` is true (SQL, about ``OLD``) may be deleted.
    """

    kind: str
    model: type[models.Model]
    columns: tuple[str, ...]
    once: str = ""
    may_go: str = ""
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
        may_go=f"OLD.channel <> '{Channel.STK}'",
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
        may_go="OLD.source = 'prompt' AND OLD.state IN ('unmatched', 'unreadable', 'aside')"
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
    ImmutableColumns(BORN_STAFF, User, (), only="{row}.is_staff OR {row}.is_superuser"),
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


def give_sqlite_its_digest(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receiver of ``connection_created``: neither SQLite nor Django has a digest of bytes for
    SQLite."""
    if connection.vendor == "sqlite":
        add_digest(connection.connection)


def add_digest(raw: Any) -> None:
    """Register the function that ``DigestOfBytes`` calls on a ``sqlite3`` connection."""
    raw.create_function("SHA256_OF_BYTES", 1, _digest_of_whatever, deterministic=True)


def _digest_of_whatever(held: bytes | str | None) -> str:
    """SQLite may store text in a binary column."""
    return sha256(held if isinstance(held, bytes) else str(held).encode()).hexdigest()


def keep_originals(*, using: str = "default", **kwargs: Any) -> None:
    """Receiver of ``post_migrate``: create missing triggers, in one transaction.

    Rows from before a trigger are recorded as they are then. Safe to repeat.
    """
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        tables = _tables(connection)
        if Original._meta.db_table not in tables:
            return  # migrated to a version before the table
        for statement in _missing(_triggers(connection), tables, _there(connection)):
            cursor.execute(statement)


def _missing(made: _Triggers, tables: dict[str, set[str]], there: set[str]) -> Iterator[str]:
    """SQL that creates the missing triggers of existing tables."""
    for group in IMMUTABLE_COLUMNS:
        if group.table not in tables or not {*group.columns} <= tables[group.table]:
            continue
        new = [make for name, make in made.writer(group).items() if name not in there]
        for statements in new:
            yield from statements
        if new:
            yield made.backfill(group)
    for table, name, statements in made.guards():
        if table in tables and name not in there:
            yield from statements


def _tables(connection: BaseDatabaseWrapper) -> dict[str, set[str]]:
    """The relevant tables that exist, and their columns."""
    wanted = {group.table for group in IMMUTABLE_COLUMNS} | {Original._meta.db_table}
    with connection.cursor() as cursor:
        existing = wanted & {*connection.introspection.table_names(cursor)}
        return {
            table: {
                column.name
                for column in connection.introspection.get_table_description(cursor, table)
            }
            for table in existing
        }


def _there(connection: BaseDatabaseWrapper) -> set[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return {name for (name,) in cursor.fetchall()}


class _Triggers:
    """The triggers' SQL, as far as both databases share it."""

    original = Original._meta.db_table
    messages = GatewayEvent._meta.db_table
    text = ""

    def digest(self, columns: tuple[str, ...], row: str) -> str:
        columns_sql = " || '|' || ".join(
            f"COALESCE(CAST({row}.{each} AS TEXT), '')" for each in columns
        )
        if not columns_sql:
            return "''"
        return self.text.format(columns_sql)

    def insert(self, group: ImmutableColumns, row: str) -> str:
        """Record the original of a row; an existing one is kept."""
        return (
            f"INSERT INTO {self.original} (kind, row, digest)"
            f" VALUES ('{group.kind}', {row}.id, {self.digest(group.columns, row)})"
            " ON CONFLICT DO NOTHING"
        )

    def insert_gone(self, group: ImmutableColumns) -> str:
        return (
            f"INSERT INTO {self.original} (kind, row, digest)"
            f" VALUES ('gone:{group.kind}', OLD.id, '') ON CONFLICT DO NOTHING"
        )

    def backfill(self, group: ImmutableColumns) -> str:
        """Record the originals of rows that were written before there was a trigger."""
        condition = self.condition(group, "it")
        only = f" AND ({condition})" if condition else ""
        return (
            f"INSERT INTO {self.original} (kind, row, digest)"
            f" SELECT '{group.kind}', it.id, {self.digest(group.columns, 'it')}"
            f" FROM {group.table} it WHERE NOT EXISTS (SELECT 1 FROM {self.original} o"
            f" WHERE o.kind = '{group.kind}' AND o.row = it.id){only}"
        )

    def condition(self, group: ImmutableColumns, row: str) -> str:
        """The rows whose columns are recorded; "" for all."""
        return f"{row}.{group.once} <> ''" if group.once else group.only.format(row=row)

    def writer(self, group: ImmutableColumns) -> dict[str, list[str]]:
        """The triggers that record the originals of a group, by name."""
        made = {group.trigger: self.after(group, "INSERT")}
        if group.once:
            name = f"{group.trigger}_once"
            made[name] = self.after(group, f"UPDATE OF {group.once}", name=name)
        if group.may_go:
            made[f"{group.trigger}_gone"] = self.gone(group)
        return made

    def after(self, group: ImmutableColumns, what: str, name: str = "") -> list[str]:
        raise NotImplementedError

    def gone(self, group: ImmutableColumns) -> list[str]:
        raise NotImplementedError

    def guards(self) -> list[tuple[str, str, list[str]]]:
        raise NotImplementedError


class _OnPostgresql(_Triggers):
    text = "encode(sha256(convert_to({}, 'UTF8')), 'hex')"

    def after(self, group: ImmutableColumns, what: str, name: str = "") -> list[str]:
        return [
            # As its owner: the processes' database role may not write originals (docs/deploy.md).
            self.function(f"keep_{group.kind}", f"{self.insert(group, 'NEW')}; RETURN NULL;"),
            f"CREATE TRIGGER {name or group.trigger} AFTER {what}"
            f" ON {group.table} FOR EACH ROW {self.when(group)}"
            f"EXECUTE FUNCTION keep_{group.kind}()",
        ]

    def when(self, group: ImmutableColumns) -> str:
        condition = self.condition(group, "NEW")
        return f"WHEN ({condition}) " if condition else ""

    def gone(self, group: ImmutableColumns) -> list[str]:
        return [
            self.function(f"keep_gone_{group.kind}", f"{self.insert_gone(group)}; RETURN NULL;"),
            f"CREATE TRIGGER {group.trigger}_gone AFTER DELETE ON {group.table}"
            f" FOR EACH ROW WHEN ({group.may_go}) EXECUTE FUNCTION keep_gone_{group.kind}()",
        ]

    def function(self, name: str, body: str) -> str:
        return (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
            f" SECURITY DEFINER SET search_path FROM CURRENT AS $$ BEGIN {body} END $$"
        )

    def guards(self) -> list[tuple[str, str, list[str]]]:
        refuse = f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';"
        function = self.function("refuse_change_of_what_is_kept", refuse)
        act = "EXECUTE FUNCTION refuse_change_of_what_is_kept()"
        names = [
            (self.original, "from_change", "UPDATE OR DELETE", ""),
            (
                self.messages,
                "from_update",
                "UPDATE OF body, sha256, source",
                "WHEN (OLD.body IS DISTINCT FROM NEW.body OR OLD.sha256 <> NEW.sha256"
                " OR OLD.source <> NEW.source) ",
            ),
            (self.messages, "from_delete", "DELETE", f"WHEN (NOT ({_may_go(GatewayEvent)})) "),
        ]
        return [
            (
                table,
                f"{table}_{TRIGGER_INFIX}_{name}",
                [
                    function,
                    f"CREATE TRIGGER {table}_{TRIGGER_INFIX}_{name} BEFORE {verb} ON {table}"
                    f" FOR EACH ROW {when}{act}",
                ],
            )
            for table, name, verb, when in names
        ]


class _OnSqlite(_Triggers):
    #: Django's own function, present on all connections.
    text = "SHA256({})"

    def after(self, group: ImmutableColumns, what: str, name: str = "") -> list[str]:
        condition = self.condition(group, "NEW")
        when = f" WHEN {condition}" if condition else ""
        return [
            f"CREATE TRIGGER {name or group.trigger} AFTER {what}"
            f" ON {group.table}{when} BEGIN {self.insert(group, 'NEW')}; END"
        ]

    def gone(self, group: ImmutableColumns) -> list[str]:
        return [
            f"CREATE TRIGGER {group.trigger}_gone AFTER DELETE ON {group.table}"
            f" WHEN {group.may_go} BEGIN {self.insert_gone(group)}; END"
        ]

    def guards(self) -> list[tuple[str, str, list[str]]]:
        refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        names = [
            (self.original, "from_update", "UPDATE", ""),
            (self.original, "from_delete", "DELETE", ""),
            (
                self.messages,
                "from_update",
                "UPDATE OF body, sha256, source",
                " WHEN OLD.body IS NOT NEW.body OR OLD.sha256 <> NEW.sha256"
                " OR OLD.source <> NEW.source",
            ),
            (self.messages, "from_delete", "DELETE", f" WHEN NOT ({_may_go(GatewayEvent)})"),
        ]
        return [
            (
                table,
                f"{table}_{TRIGGER_INFIX}_{name}",
                [
                    f"CREATE TRIGGER {table}_{TRIGGER_INFIX}_{name} BEFORE {verb}"
                    f" ON {table}{when} {refuse}"
                ],
            )
            for table, name, verb, when in names
        ]


def _may_go(model: type[models.Model]) -> str:
    return next(
        group.may_go for group in IMMUTABLE_COLUMNS if group.model is model and group.may_go
    )


def _triggers(connection: BaseDatabaseWrapper) -> _Triggers:
    return _OnPostgresql() if connection.vendor == "postgresql" else _OnSqlite()
