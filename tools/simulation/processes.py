"""Processes of the shop, all in one thread: they die between any two steps, and overtake one
another.

A step is a statement or a request to M-Pesa. A process that dies leaves in the database what it had
committed, and nothing else. While no transaction is open, another process may be faster: it then
does all of its work before the first continues.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import OperationalError, connection
from django.utils import timezone, translation

from omachemainproj import background, caches, heartbeats, sms
from omachemainproj.api import access_tokens
from payments import gateway

from .chance import NO_FAULTS, Chance, FaultRates

#: Maximum depth of processes overtaking one another.
DEEPEST = 3
#: Assumed number of steps of a new kind of process.
USUAL = 25
#: Number of first transactions before which a process may be overtaken.
TRANSACTIONS = 5
#: Django numbers savepoints per process lifetime: no two traces would be the same.
_SAVEPOINT = re.compile(r'"s[0-9]+_x[0-9]+"')


class Crash(BaseException):
    """The process is dead. Not an Exception, so that the shop's code does not catch it."""


class DatabaseAway(OperationalError):
    """The database refused this statement."""


@dataclass
class Process:
    name: str
    dies_at: int = 0
    overtaken_at: int = 0
    #: Or before its N-th transaction: races happen between a read and the lock.
    overtaken_at_transaction: int = 0
    transactions: int = 0
    refused_at: int = 0
    steps: int = 0
    is_dead: bool = False


class Processes:
    """Runs the shop's processes, and counts their steps."""

    def __init__(self, chance: Chance, log: Callable[[str], None]) -> None:
        self.rates: FaultRates = NO_FAULTS
        self.counts: Counter[str] = Counter()
        #: Called where another process may overtake.
        self.overtake: Callable[[], None] = lambda: None
        #: How the last process ended: "", "crash" or "database".
        self.troubles = 0
        self._chance = chance
        self._log = log
        self._now: Process | None = None
        self._depth = 0
        self._lengths: dict[str, int] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count statements as steps."""
        with connection.execute_wrapper(self._statement):
            yield

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Leave the shop: code inside belongs to Safaricom, a buyer or the simulation."""
        before, self._now = self._now, None
        try:
            yield
        finally:
            self._now = before

    def run(self, name: str, work: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        """Run this in a separate process. Returns whether it survived to the end."""
        process = self._new(name)
        before, self._now = self._now, process
        self._depth += 1
        try:
            work(*args, **kwargs)
            self.step("the end")
        except Crash:
            self.forget_memory()
            return False
        finally:
            self._now = before
            self._depth -= 1
            self._lengths[name] = max(process.steps, self._lengths.get(name, 0))
        return True

    def step(self, what: str) -> None:
        """A point between two steps of the running process, if any: it may die here, or be
        overtaken.

        Raises Crash, DatabaseAway.
        """
        process = self._now
        if process is None:
            return
        if process.is_dead:
            raise Crash
        process.steps += 1
        if process.steps == process.dies_at:
            process.is_dead = True
            self.troubles += 1
            self.counts["crash"] += 1
            self._log(f"  ✝ {process.name} dies at step {process.steps}, before {_short(what)}")
            raise Crash
        if what.startswith("BEGIN"):
            process.transactions += 1
            if process.transactions == process.overtaken_at_transaction:
                process.overtaken_at = process.steps
        is_free = not connection.in_atomic_block and not connection.connection.in_transaction
        if process.overtaken_at and process.steps >= process.overtaken_at and is_free:
            process.overtaken_at = 0
            self.counts["meeting"] += 1
            self._log(f"  ⇄ {process.name} is overtaken at step {process.steps}")
            with self.outside():
                self.overtake()

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        process = self._now
        if process is None:
            return execute(sql, params, many, context)
        if process.is_dead:
            # The database rolls back what a dead process had not committed.
            if sql.startswith(("ROLLBACK", "RELEASE")):
                return execute(sql, params, many, context)
            raise Crash
        self.step(sql)
        if process.steps == process.refused_at and not sql.startswith(("ROLLBACK", "RELEASE")):
            self.troubles += 1
            self.counts["database"] += 1
            self._log(f"  ✗ {process.name}: the database refuses {_short(sql)}")
            raise DatabaseAway("not now")
        return execute(sql, params, many, context)

    def _new(self, name: str) -> Process:
        rates, chance = self.rates, self._chance
        length = self._lengths.get(name, USUAL)

        def somewhere(probability: float) -> int:
            return chance.randint(1, length + 1) if chance.happens(probability) else 0

        process = Process(
            name, dies_at=somewhere(rates.crash), refused_at=somewhere(rates.database)
        )
        if self._depth + 1 < DEEPEST and chance.happens(rates.meeting):
            if chance.happens(0.5):
                process.overtaken_at_transaction = chance.randint(1, TRANSACTIONS)
            else:
                process.overtaken_at = chance.randint(1, length)
        return process

    @staticmethod
    def forget_memory() -> None:
        """Forget everything a process had in memory, and its transaction."""
        if connection.connection.in_transaction:
            connection.connection.rollback()
        connection.in_atomic_block = False
        connection.needs_rollback = False
        connection.autocommit = True
        connection.savepoint_ids.clear()
        connection.atomic_blocks.clear()
        connection.run_on_commit.clear()
        connection.run_commit_hooks_on_set_autocommit_on = False
        forget_what_was_asked()


def forget_what_was_asked() -> None:
    """Clear everything a process of the shop caches, as a new process starts without it.

    Caches would change a seed: by a statement less, by a session that still leads to the Safaricom
    of the previous seed, by the memory of who was silent then.
    """
    cache.clear()
    for kept in (gateway._client, gateway._text, sms._africastalking, access_tokens._verified):
        kept.cache_clear()
    ContentType.objects.clear_cache()
    heartbeats._known = heartbeats._LastResult()
    for breaker in (background.task_broker, caches.redis_breaker):
        breaker.close()
    translation.deactivate()
    timezone.deactivate()


def _short(statement: str) -> str:
    return _SAVEPOINT.sub("", statement)[:60]
