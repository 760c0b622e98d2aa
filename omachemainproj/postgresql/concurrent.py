"""Indexes that are built and taken down while the shop is open."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.migrations.operations import AddIndex, RemoveIndex


class AddIndexWhileOpen(AddIndexConcurrently):
    """Add an index without keeping anybody from writing; its migration has ``atomic = False``.

    SQLite lets nobody write beside a migration anyway, and has the index at once.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Build it."""
        cls = AddIndexConcurrently if _is_postgresql(schema_editor) else AddIndex
        cls.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Take it down again."""
        cls = AddIndexConcurrently if _is_postgresql(schema_editor) else AddIndex
        cls.database_backwards(self, app_label, schema_editor, from_state, to_state)


class RemoveIndexWhileOpen(RemoveIndexConcurrently):
    """Remove an index without keeping anybody from its table; as ``AddIndexWhileOpen``."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Take it down."""
        cls = RemoveIndexConcurrently if _is_postgresql(schema_editor) else RemoveIndex
        cls.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Build it again."""
        cls = RemoveIndexConcurrently if _is_postgresql(schema_editor) else RemoveIndex
        cls.database_backwards(self, app_label, schema_editor, from_state, to_state)


def _is_postgresql(schema_editor: Any) -> bool:
    return bool(schema_editor.connection.vendor == "postgresql")
