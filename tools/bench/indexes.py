"""Fill tables without their indexes, and build each index once at the end."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def built_afterwards(cursor: Any, tables: Iterable[str]) -> Iterator[None]:
    """Drop the indexes of these tables, and build them again at the end.

    Unique indexes stay: ``ON CONFLICT`` needs them. Call it inside a transaction, so that a failure
    restores the indexes.
    """
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = ANY (%s::regclass[]) AND NOT indisunique",
        [list(tables)],
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    # PostgreSQL refuses to index a table with pending foreign-key checks.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for _, definition in indexes:
        cursor.execute(definition)
