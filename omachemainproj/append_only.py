"""Tables that are only added to: a migration's triggers refuse every change and every deletion.

On SQLite a later migration that rebuilds such a table (a field or a constraint of it) loses its
triggers, and has to end with ``append_only()`` of it again; tests/proof sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import migrations

_VERBS = ("update", "delete")


def append_only(table: str, *, says: str) -> migrations.RunPython:
    """The operation that lets the database refuse to change or delete the rows of ``table``.

    ``says`` is the error's text. What is refused raises IntegrityError. Put up twice, it stands
    once.
    """
    return _Triggers(_guard(table, says), _unguard(table))


class _Triggers(migrations.RunPython):
    """Asks for no models, where Django would build all there are anew, for each table."""

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
        # What the rows written so far have still to be asked for at commit is asked now: a table
        # that waits for its commit takes no trigger.
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
