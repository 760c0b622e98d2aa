"""How passwords are hashed, and how much of that at once: memory and processor have a budget.

OWASP's Password Storage Cheat Sheet asks for Argon2id with 19 MiB, two passes and one lane at
least (``m=19456, t=2, p=1``). Django's own 100 MiB for each log-in, in each thread of each
process, is memory that strangers decide about.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

from omachemainproj.api.errors import Busy

Result = TypeVar("Result")

#: Threads of one process that may wait for their turn to hash, and for how long (seconds).
WAITING = 8
PATIENCE = 2.0


class Room:
    """Does so much at once, lets so many wait, and turns the rest away.

    It works in threads of its own: the allocator keeps 19 MiB for every thread that ever hashed.
    """

    def __init__(self, at_once: int, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self._places = BoundedSemaphore(at_once + waiting)
        # Starts its threads when it is first used, which is after gunicorn's fork.
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="hashing")
        self._patience = patience

    def run(self, work: Callable[..., Result], *args: Any) -> Result:
        """What the work comes to. Raises Busy (503) where the queue is full, or slow."""
        if not self._places.acquire(blocking=False):
            raise Busy
        future = self._pool.submit(work, *args)
        future.add_done_callback(lambda _: self._places.release())
        try:
            return future.result(self._patience)
        except TimeoutError:
            if future.cancel():
                raise Busy from None
            # It has begun, and takes milliseconds.
            return future.result()


#: One for the process: its memory for hashing is HASHING_AT_ONCE times 19 MiB.
room = Room(settings.HASHING_AT_ONCE)


class Argon2(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters. Hashes with others are upgraded at log-in."""

    time_cost = 2
    memory_cost = 19_456  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return room.run(super().encode, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        return room.run(super().verify, password, encoded)


class PBKDF2(PBKDF2PasswordHasher):
    """What passwords of before may be hashed with; upgraded to Argon2 at log-in."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        return room.run(super().encode, password, salt, iterations)
