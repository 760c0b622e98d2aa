"""How passwords are hashed, and how much of that at once: memory and processor have a budget.

OWASP's Password Storage Cheat Sheet asks for Argon2id with 19 MiB, two passes and one lane at
least (``m=19456, t=2, p=1``). Django's own 100 MiB for each log-in, in each thread of each
process, is memory that strangers decide about.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

from omachemainproj.api.errors import Busy

#: Threads of one process that may wait for their turn to hash, and for how long (seconds).
WAITING = 8
PATIENCE = 2.0


class Room:
    """Lets so many in at once, so many wait, and turns the rest away."""

    def __init__(self, at_once: int, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self._places = BoundedSemaphore(at_once + waiting)
        self._seats = BoundedSemaphore(at_once)
        self._patience = patience

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Hold a seat. Raises Busy (503) where the queue is full, or the wait was too long."""
        if not self._places.acquire(blocking=False):
            raise Busy
        try:
            if not self._seats.acquire(timeout=self._patience):
                raise Busy
            try:
                yield
            finally:
                self._seats.release()
        finally:
            self._places.release()


#: One for the process: its memory for hashing is HASHING_AT_ONCE times 19 MiB.
room = Room(settings.HASHING_AT_ONCE)


class Argon2(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters. Hashes with others are upgraded at log-in."""

    time_cost = 2
    memory_cost = 19_456  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with room.entered():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with room.entered():
            return super().verify(password, encoded)


class PBKDF2(PBKDF2PasswordHasher):
    """What passwords of before may be hashed with; upgraded to Argon2 at log-in."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with room.entered():
            return super().encode(password, salt, iterations)
