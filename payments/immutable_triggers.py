"""The triggers that write originals (payments.immutable_columns), and refuse changes of them.

They are created again after every ``migrate``, as SQLite drops those of a table it alters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .immutable_columns import IMMUTABLE_COLUMNS, TRIGGER_INFIX, ImmutableColumns
from .models import GatewayEvent, Original

REFUSAL = "what was kept is never changed or deleted"


def create_original_triggers(*, using: str = "default", **kwargs: Any) -> None:
    """Receiver of ``post_migrate``: create missing triggers, in one transaction.

    Rows from before a trigger are recorded as they are then. Safe to repeat.
    """
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        tables = _tables(connection)
        if Original._meta.db_table not in tables:
            return  # migrated to a version before the table
        for statement in _missing(_triggers(connection), tables, _existing_triggers(connection)):
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


def _existing_triggers(connection: BaseDatabaseWrapper) -> set[str]:
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

    def insert_deleted(self, group: ImmutableColumns) -> str:
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
        made = {group.trigger: self.after_write(group, "INSERT")}
        if group.once:
            name = f"{group.trigger}_once"
            made[name] = self.after_write(group, f"UPDATE OF {group.once}", name=name)
        if group.may_delete:
            made[f"{group.trigger}_gone"] = self.after_delete(group)
        return made

    def after_write(self, group: ImmutableColumns, what: str, name: str = "") -> list[str]:
        raise NotImplementedError

    def after_delete(self, group: ImmutableColumns) -> list[str]:
        raise NotImplementedError

    def guards(self) -> list[tuple[str, str, list[str]]]:
        raise NotImplementedError


class _OnPostgresql(_Triggers):
    text = "encode(sha256(convert_to({}, 'UTF8')), 'hex')"

    def after_write(self, group: ImmutableColumns, what: str, name: str = "") -> list[str]:
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

    def after_delete(self, group: ImmutableColumns) -> list[str]:
        return [
            self.function(f"keep_gone_{group.kind}", f"{self.insert_deleted(group)}; RETURN NULL;"),
            f"CREATE TRIGGER {group.trigger}_gone AFTER DELETE ON {group.table}"
            f" FOR EACH ROW WHEN ({group.may_delete}) EXECUTE FUNCTION keep_gone_{group.kind}()",
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
            (self.messages, "from_delete", "DELETE", f"WHEN (NOT ({_may_delete(GatewayEvent)})) "),
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

    def after_write(self, group: ImmutableColumns, what: str, name: str = "") -> list[str]:
        condition = self.condition(group, "NEW")
        when = f" WHEN {condition}" if condition else ""
        return [
            f"CREATE TRIGGER {name or group.trigger} AFTER {what}"
            f" ON {group.table}{when} BEGIN {self.insert(group, 'NEW')}; END"
        ]

    def after_delete(self, group: ImmutableColumns) -> list[str]:
        return [
            f"CREATE TRIGGER {group.trigger}_gone AFTER DELETE ON {group.table}"
            f" WHEN {group.may_delete} BEGIN {self.insert_deleted(group)}; END"
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
            (self.messages, "from_delete", "DELETE", f" WHEN NOT ({_may_delete(GatewayEvent)})"),
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


def _may_delete(model: type[models.Model]) -> str:
    return next(
        group.may_delete for group in IMMUTABLE_COLUMNS if group.model is model and group.may_delete
    )


def _triggers(connection: BaseDatabaseWrapper) -> _Triggers:
    return _OnPostgresql() if connection.vendor == "postgresql" else _OnSqlite()
