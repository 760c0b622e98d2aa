"""Tables that are filled without their indexes, each of which is built once at the end."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def built_afterwards(cursor: Any, tables: Iterable[str]) -> Iterator[None]:
    """Drop what indexes these tables have, and build them anew at the end.

    What is unique stays: rows that cannot be are left out by it. Call inside a transaction, so that
    a table which could not be filled has its indexes back.
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
    # A table whose references are still to be looked at takes no index.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for _, definition in indexes:
        cursor.execute(definition)
