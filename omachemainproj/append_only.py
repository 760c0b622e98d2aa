"""Append-only tables: triggers, created by migrations, refuse all updates and deletions.

On SQLite a later migration that rebuilds such a table (to change a field or a constraint) drops its
triggers and has to end with ``append_only()`` again; tests/proof checks this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import migrations

_VERBS = ("update", "delete")


def append_only(table: str, *, says: str) -> migrations.RunPython:
    """A migration operation that makes the database refuse changes to rows of ``table``.

    ``says`` is the error's text. Refused statements raise IntegrityError. Safe to repeat.
    """
    return _Triggers(_guard(table, says), _unguard(table))


class _Triggers(migrations.RunPython):
    """Skips the model state, which Django would otherwise rebuild for each table."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        put_up: Any = self.code
        put_up(None, schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        take_down: Any = self.reverse_code
        take_down(None, schema_editor)


def _guard(table: str, says: str) -> Callable[[Any, Any], None]:
    def guard(apps: Any, schema_editor: Any) -> None:
        _unguard(table)(apps, schema_editor)
        if schema_editor.connection.vendor != "postgresql":
            for verb in _VERBS:
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_is_kept_from_{verb} BEFORE {verb} ON {table}"
                    f" BEGIN SELECT RAISE(ABORT, '{says}'); END",
                    params=None,
                )
            return
        # Check deferred constraints now: a table with pending ones accepts no trigger.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")
        schema_editor.execute(
            f"CREATE FUNCTION {table}_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION '{says}' USING ERRCODE = 'integrity_constraint_violation';"
            " END $$",
            params=None,
        )
        schema_editor.execute(
            f"CREATE TRIGGER {table}_is_kept BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {table}_refuse_change()",
            params=None,
        )

    return guard


def _unguard(table: str) -> Callable[[Any, Any], None]:
    def unguard(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_is_kept ON {table}")
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {table}_refuse_change()")
            return
        for verb in _VERBS:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_is_kept_from_{verb}")

    return unguard
