"""The observable steps of a process: SQL statements, commits, calls, answers.

The shop knows nothing of them. They are counted from outside, and at a chosen one the process kills
itself like ``kill -9``: no handler, no rollback.
"""

import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from payments.daraja.connection import Transport

_FIRST_WORDS = re.compile(r"\s*(INSERT(?: OR IGNORE)? INTO|UPDATE|DELETE FROM|SELECT|[A-Z]+)")
_TABLE = re.compile(r'(?:INTO|UPDATE|FROM)\s+"?(\w+)"?')


class Steps:
    """Counts and reports the edges of steps, and dies at the ``kill_at``-th, from 1, if it is
    given.

    Every step has two edges, before and after it; ``phase`` is what the process is doing.
    """

    def __init__(self, phase: str, *, kill_at: int | None, tell: Callable[[str], None]) -> None:
        self.phase = phase
        self._kill_at = kill_at
        self._tell = tell
        self._edges = 0
        self._seen: Counter[str] = Counter()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Pass the edge before a step, let it happen, and pass the edge after it."""
        self._seen[self.phase, what] += 1
        times = self._seen[self.phase, what]
        name = what if times == 1 else f"{what} ({times})"
        phase = self.phase
        self._pass(f"{phase}: before {name}")
        yield
        self._pass(f"{phase}: after {name}")

    def watch(self) -> None:
        """Count the steps of this process from here on."""
        connection.execute_wrappers.append(self._execute)
        commit, exchange = connection._commit, Transport._exchange

        def watched_commit() -> None:
            with self.step("COMMIT"):
                commit()

        def watched_exchange(transport: Transport, method: str, path: str, **how: object) -> object:
            with self.step(f"M-Pesa is asked, {path}"):
                return exchange(transport, method, path, **how)

        connection._commit = watched_commit
        Transport._exchange = watched_exchange

    def _execute(self, execute, sql, params, many, context):
        with self.step(_name(sql)):
            return execute(sql, params, many, context)

    def _pass(self, edge: str) -> None:
        self._edges += 1
        self._tell(edge)
        if self._edges == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def worth_dying_at(edges: list[str]) -> dict[int, str]:
    """The numbers of the edges that make a difference: before every step, and after those that are
    visible outside the transaction. After any other is the same as before the next."""
    outside = (": after COMMIT", ": after M-Pesa", ": after the answer")
    return {
        number: edge
        for number, edge in enumerate(edges, start=1)
        if ": before " in edge or any(seen in edge for seen in outside) or number == len(edges)
    }


def _name(sql: str) -> str:
    first = _FIRST_WORDS.match(sql)
    word = first[1] if first else sql[:20]
    table = _TABLE.search(sql)
    locked = " FOR UPDATE" if "FOR NO KEY UPDATE" in sql or "FOR UPDATE" in sql else ""
    return f"{word.split()[0]} {table[1]}{locked}" if table else word
