"""Building and removing indexes while the shop is running."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.migrations.operations import AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation


class AddIndexWhileOpen(AddIndexConcurrently):
    """Add an index without blocking writes; its migration has ``atomic = False``.

    On SQLite a migration blocks writes anyway, and the index is built normally.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Build the index."""
        cls = AddIndexConcurrently if _is_postgresql(schema_editor) else AddIndex
        cls.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Remove the index again."""
        cls = AddIndexConcurrently if _is_postgresql(schema_editor) else AddIndex
        cls.database_backwards(self, app_label, schema_editor, from_state, to_state)


class RemoveIndexWhileOpen(RemoveIndexConcurrently):
    """Remove an index without blocking its table; see ``AddIndexWhileOpen``."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Remove the index."""
        cls = RemoveIndexConcurrently if _is_postgresql(schema_editor) else RemoveIndex
        cls.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Build the index again."""
        cls = RemoveIndexConcurrently if _is_postgresql(schema_editor) else RemoveIndex
        cls.database_backwards(self, app_label, schema_editor, from_state, to_state)


class DropIndexWhileOpen(Operation):
    """Drop an index that the models no longer mention; its migration has ``atomic = False``.

    ``columns``, such as ``orders_order (buyer_id)``, is what it is built on again if the migration
    is reversed; without them it is not.
    """

    reversible = True

    def __init__(self, name: str, columns: str = "") -> None:
        self.name, self.columns = name, columns

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: it is not in the state."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Drop the index, if it is there."""
        while_open = "CONCURRENTLY " if _is_postgresql(schema_editor) else ""
        schema_editor.execute(f"DROP INDEX {while_open}IF EXISTS {self.name}")

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Build the index again."""
        if self.columns:
            while_open = "CONCURRENTLY " if _is_postgresql(schema_editor) else ""
            schema_editor.execute(
                f"CREATE INDEX {while_open}IF NOT EXISTS {self.name} ON {self.columns}"
            )

    def describe(self) -> str:
        """Say what it does, for ``migrate``."""
        return f"Drop the index {self.name}"


def _is_postgresql(schema_editor: Any) -> bool:
    return bool(schema_editor.connection.vendor == "postgresql")
