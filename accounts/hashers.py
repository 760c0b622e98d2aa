"""Password hashing, with a limit on how many run concurrently.

OWASP's Password Storage Cheat Sheet requires Argon2id with at least 19 MiB, two passes and one lane
(``m=19456, t=2, p=1``). Django's default of 100 MiB per log-in, in each thread of each process,
would let anyone exhaust the memory.
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

#: How many threads per process may wait to hash, and for how long (seconds).
WAITING = 8
PATIENCE = 2.0


class BoundedExecutor:
    """Runs a limited number of jobs concurrently, lets a few wait, and refuses the rest.

    It has its own threads, since the allocator keeps 19 MiB for every thread that ever hashed.
    """

    def __init__(self, at_once: int, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self._places = BoundedSemaphore(at_once + waiting)
        # Threads start on first use, after gunicorn's fork.
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="hashing")
        self._patience = patience

    def run(self, work: Callable[..., Result], *args: Any) -> Result:
        """The result of the work. Raises Busy (503) if the queue is full or the wait too long."""
        if not self._places.acquire(blocking=False):
            raise Busy
        future = self._pool.submit(work, *args)
        future.add_done_callback(lambda _: self._places.release())
        try:
            return future.result(self._patience)
        except TimeoutError:
            if future.cancel():
                raise Busy from None
            # It has started, and takes milliseconds.
            return future.result()


#: One per process, which uses at most HASHING_AT_ONCE times 19 MiB.
room = BoundedExecutor(settings.HASHING_AT_ONCE)


class Argon2(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters. Other hashes are upgraded at log-in."""

    time_cost = 2
    memory_cost = 19_456  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return room.run(super().encode, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        return room.run(super().verify, password, encoded)


class PBKDF2(PBKDF2PasswordHasher):
    """For older hashes, which are upgraded to Argon2 at log-in."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        return room.run(super().encode, password, salt, iterations)
