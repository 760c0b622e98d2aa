"""Building and removing indexes while the shop is running."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.migrations.operations import AddIndex, RemoveIndex


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


def _is_postgresql(schema_editor: Any) -> bool:
    return bool(schema_editor.connection.vendor == "postgresql")
