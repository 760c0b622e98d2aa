"""What a piece of work asks of the database, statement by statement."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Statement(NamedTuple):
    ms: float
    sql: str
    parameters: Any


NONE = Statement(0, "", None)


@contextmanager
def listening(to: list[Statement]) -> Iterator[None]:
    """Append every statement that is executed, with its time."""
    from django.db import connection

    def listen(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            to.append(Statement((time.perf_counter() - began) * 1000, sql, parameters))

    with connection.execute_wrapper(listen):
        yield


def plan_of(statement: Statement) -> str:
    """The statement, its parameters and its plan, executed once more and rolled back."""
    from django.db import DatabaseError, connection, transaction

    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement.sql}", statement.parameters)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            transaction.set_rollback(True)
    except DatabaseError as refusal:
        plan = str(refusal)
    return f"{statement.sql}\n{statement.parameters}\n{plan}"
